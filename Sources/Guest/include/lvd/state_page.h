/*
 * vmfunc_state_page: one guest-virtual page, backed by different memory per CPU and per view.
 * The kernel's copy is writable by the kernel; a domain's copy is mapped read-only.
 */
#ifndef LVD_STATE_PAGE_H
#define LVD_STATE_PAGE_H
#include "types.h"

#define STATE_IN_KERNEL 0
#define STATE_CPUID 8
#define STATE_ENTERED_LCD 16
#define STATE_KERNEL_ESP 24
#define STATE_KERNEL_GS_BASE 32
#define STATE_LCD_STACK_SAVED 40
#define STATE_DOMAIN_ENTRY 48
#define STATE_PROGRESS 56
#define STATE_IRQ_FRAME 64
#define STATE_NMI_FRAME 72
#define STATE_NMI_STACK 80
#define STATE_FLAGS 88
#define STATE_FLAGS_END 96
#define STATE_CR3 96

#ifndef __ASSEMBLER__
struct lvd_state_page {
    u64 in_kernel;       /* 1 in the kernel's copy, 0 in a domain's: the trusted "which view is active?" */
    u64 cpuid;
    u64 entered_lcd;     /* the thread on this CPU is logically inside a domain */
    u64 kernel_esp;      /* where the kernel resumes; set before every entry into a domain */
    u64 kernel_gs_base;  /* per-CPU area of the kernel; restored before the first use of GS */
    u64 lcd_stack_saved; /* the domain's RSP is already in current->lcd_stack */
    u64 domain_entry;    /* domain's copy: where the trampoline calls */
    u64 progress;        /* counts entries into domains; the monitor's preemption timer watches it */
    u64 irq_frame;       /* kernel's copy: the one address an interrupt frame can have on IST 5 of this CPU */
    u64 nmi_frame;       /* the same for IST 2 */
    u64 nmi_stack;       /* kernel-only stack on which the NMI handler's C code runs */
    u64 flags;           /* kernel's copy: RFLAGS as a domain left them, pushed here on the way out */
    u64 cr3;             /* kernel's copy: the root that the kernel has loaded on this CPU; a domain may have loaded another */
};
#endif
#endif
