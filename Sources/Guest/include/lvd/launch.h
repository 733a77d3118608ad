/* Late launch: what the kernel hands to the monitor's entry point on each CPU. */
#ifndef LVD_LAUNCH_H
#define LVD_LAUNCH_H
#include "types.h"

#define LVD_LAUNCH_MAGIC 0x0031484e4c44564cULL /* "LVDLNH1\0" */

#ifndef __ASSEMBLER__
/*
 * The entry point (ELF e_entry of monitor.elf) has the C signature
 *     u64 monitor_entry(const struct lvd_launch *launch);
 * called in 64-bit mode with interrupts off, on page tables that map the monitor's memory at its physical addresses.
 * It returns 0 in VMX non-root operation, or an enum lvd_launch_error in root operation with nothing changed.
 */
struct lvd_launch {
    u64 magic;
    u64 cpu;
    u64 memory_end;     /* physical address after the last byte of RAM */
    u64 state_page;     /* guest-physical address of vmfunc_state_page */
    u64 upcall_entry;   /* kernel RIP at which a violation is reported */
    u64 results;        /* physical address of lvd_results.status, for a fatal end */
    u64 interrupts;     /* LVD_INTERRUPTS_... */
};

enum lvd_launch_error {
    LVD_LAUNCH_OK = 0,
    LVD_LAUNCH_NO_VMX = 1,
    LVD_LAUNCH_LOCKED = 2,       /* IA32_FEATURE_CONTROL forbids VMXON */
    LVD_LAUNCH_CONTROLS = 3,     /* a control that the design needs is not available */
    LVD_LAUNCH_VMXON = 4,
    LVD_LAUNCH_VMCS = 5,
    LVD_LAUNCH_ENTRY = 6,        /* VMLAUNCH failed */
    LVD_LAUNCH_MEMORY = 7,
};
#endif
#endif
