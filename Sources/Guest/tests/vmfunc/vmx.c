/* A hypervisor for one guest that is this image itself, under extended page tables that differ in one window of memory. */
#include "machine.h"

static u8 vmxon_region[4096] ALIGNED, vmcs_region[4096] ALIGNED;
static u64 ept_level4[VIEWS][512] ALIGNED, ept_level3[VIEWS][512] ALIGNED, ept_level2[VIEWS][4][512] ALIGNED;
static u64 ept_window[VIEWS][512] ALIGNED;
static u8 pages[VIEWS][WINDOW_PAGES][4096] ALIGNED;
u64 eptp[VIEWS], eptp_list[512] ALIGNED;
bool has_ad, has_pml, has_ve, has_mtf, has_vpid;
static bool launched;

void *memset(void *to, int value, u64 length);

u64 *window_entry(u32 view, u32 page) { return &ept_window[view][page]; }
u64 *large_entry(u32 view, u64 address) { return &ept_level2[view][address >> 30][address >> 21 & 511]; }
volatile u64 *backing(u32 view, u32 page) { return (volatile u64 *)pages[view][page]; }

/* Views as new: EPT_POINTER fields as SDM 3C table 25-9 "Format of Extended-Page-Table Pointer" has them. */
static void make_views(void) {
    for (u32 view = 0; view < VIEWS; view++) {
        ept_level4[view][0] = (u64)ept_level3[view] | 7;
        for (u64 g = 0; g < 4; g++) {
            ept_level3[view][g] = (u64)ept_level2[view][g] | 7;
            for (u64 n = 0; n < 512; n++)
                ept_level2[view][g][n] = g << 30 | n << 21 | 1 << 7 | 6 << 3 | 7;
        }
        *large_entry(view, WINDOW) = (u64)ept_window[view] | 7;
        for (u32 n = 0; n < 512; n++)
            ept_window[view][n] = n < WINDOW_PAGES ? (u64)pages[view][n] | 6 << 3 | 7 : 0;
        for (u32 n = 0; n < WINDOW_PAGES; n++)
            *backing(view, n) = 100 + view; /* what reads as "view n" */
        eptp[view] = (u64)ept_level4[view] | 3 << 3 | 6;
    }
    for (u32 n = 0; n < 512; n++)
        eptp_list[n] = n < VIEWS ? eptp[n] : 0;
}

/* SDM 3D A.2 to A.5: bits that must be 1 in the low half, that may be 1 in the high half. */
static u32 controls(u32 msr, u32 wanted) {
    u64 allowed = rdmsr(msr);
    return (wanted | (u32)allowed) & (u32)(allowed >> 32);
}
static u32 capability(u32 plain, u32 exact) { return rdmsr(0x480) >> 55 & 1 ? exact : plain; }

bool vmx_start(void) {
    u32 eax = 1, ebx, ecx = 0, edx;
    u64 region = (u64)vmxon_region, control, cr;
    u8 failed;

    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    if (!(ecx >> 5 & 1))
        return false;
    control = rdmsr(0x3a);
    if (!(control & 1))
        wrmsr(0x3a, control | 5);
    else if (!(control & 4))
        return false;
    if (!(rdmsr(0x482) >> 63) || !(rdmsr(0x48b) >> 32 & SECONDARY_EPT) || !(rdmsr(0x48b) >> 32 & SECONDARY_VMFUNC))
        return false;
    has_ad = rdmsr(0x48c) >> 21 & 1;
    has_pml = rdmsr(0x48b) >> 32 & SECONDARY_PML;
    has_ve = rdmsr(0x48b) >> 32 & SECONDARY_VE;
    has_vpid = rdmsr(0x48b) >> 32 & SECONDARY_VPID;
    has_mtf = rdmsr(capability(0x482, 0x48e)) >> 32 & PROC_MTF;

    asm volatile("movq %%cr0, %0" : "=r"(cr));
    asm volatile("movq %0, %%cr0" : : "r"((cr | rdmsr(0x486)) & rdmsr(0x487)));
    asm volatile("movq %%cr4, %0" : "=r"(cr));
    asm volatile("movq %0, %%cr4" : : "r"((cr | 1 << 13 | rdmsr(0x488)) & rdmsr(0x489)));
    *(u32 *)vmxon_region = (u32)rdmsr(0x480) & 0x7fffffff;
    asm volatile("vmxon %1\n\tsetna %0" : "=qm"(failed) : "m"(region) : "cc", "memory");
    return !failed;
}

static void segment(u32 number, u16 selector, u32 rights) {
    vmwrite(ES_SELECTOR + 2 * number, selector);
    vmwrite(ES_LIMIT + 2 * number, 0xffffffff);
    vmwrite(ES_RIGHTS + 2 * number, rights);
}

void vmx_reset(void) {
    u64 region = (u64)vmcs_region, cr;

    asm volatile("vmclear %0" : : "m"(region) : "cc", "memory");
    memset(vmcs_region, 0, sizeof vmcs_region);
    *(u32 *)vmcs_region = (u32)rdmsr(0x480) & 0x7fffffff;
    asm volatile("vmclear %0" : : "m"(region) : "cc", "memory");
    asm volatile("vmptrld %0" : : "m"(region) : "cc", "memory");
    launched = false;
    make_views();
    invept(2, 0);

    vmwrite(PIN_CONTROLS, controls(capability(0x481, 0x48d), 0));
    vmwrite(PROC_CONTROLS, controls(capability(0x482, 0x48e), PROC_SECONDARY));
    vmwrite(SECONDARY_CONTROLS, controls(0x48b, SECONDARY_EPT | SECONDARY_VMFUNC | (has_vpid ? SECONDARY_VPID : 0)));
    vmwrite(EXIT_CONTROLS, controls(capability(0x483, 0x48f), 1 << 9 | 1 << 20 | 1 << 21)); /* 64-bit host, save and load EFER */
    vmwrite(ENTRY_CONTROLS, controls(capability(0x484, 0x490), 1 << 9 | 1 << 15));          /* IA-32e mode guest, load EFER */
    vmwrite(EXCEPTION_BITMAP, 0);
    vmwrite(VMFUNC_CONTROLS, 1);
    vmwrite(EPTP_LIST, (u64)eptp_list);
    vmwrite(EPT_POINTER, eptp[0]);
    if (has_vpid)
        vmwrite(VPID, 1);
    vmwrite(LINK_POINTER, ~0ULL);

    asm volatile("movq %%cr0, %0" : "=r"(cr));
    vmwrite(GUEST_CR0, cr);
    vmwrite(HOST_CR0, cr);
    asm volatile("movq %%cr4, %0" : "=r"(cr));
    vmwrite(GUEST_CR4, cr);
    vmwrite(HOST_CR4, cr);
    vmwrite(GUEST_CR3, (u64)level4);
    vmwrite(HOST_CR3, (u64)level4);
    vmwrite(GUEST_EFER, rdmsr(0xc0000080));
    vmwrite(HOST_EFER, rdmsr(0xc0000080));
    segment(0, 16, 0xc093);
    segment(1, 8, 0xa09b);
    segment(2, 16, 0xc093);
    segment(3, 16, 0xc093);
    segment(4, 0, 0x10000);
    segment(5, 0, 0x10000);
    segment(6, 0, 0x10000);
    segment(7, 0x28, 0x8b);
    vmwrite(TR_LIMIT, 0x67);
    vmwrite(TR_BASE, (u64)tss);
    vmwrite(GDTR_BASE, gdt_pointer.base);
    vmwrite(GDTR_LIMIT, gdt_pointer.limit);
    vmwrite(IDTR_BASE, (u64)idt);
    vmwrite(IDTR_LIMIT, sizeof(u64[512]) - 1);
    vmwrite(GUEST_DR7, 0x400);
    vmwrite(GUEST_RFLAGS, 2);
    vmwrite(HOST_CS, 8);
    vmwrite(HOST_SS, 16);
    vmwrite(HOST_DS, 16);
    vmwrite(HOST_ES, 16);
    vmwrite(HOST_TR, 0x28);
    vmwrite(HOST_TR_BASE, (u64)tss);
    vmwrite(HOST_GDTR, gdt_pointer.base);
    vmwrite(HOST_IDTR, (u64)idt);
    vmwrite(HOST_RIP, (u64)vm_exit);
    exception_vector = exception_resume = 0;
}

u64 run_on(void) {
    u64 failed = vm_enter(launched);
    if (failed)
        return ~0ULL;
    launched = true;
    if (vmread(EXIT_REASON) >> 31)
        return vmread(EXIT_REASON);
    return vmread(EXIT_REASON) & 0xffff;
}

u64 run(void (*guest)(void)) {
    u64 *stack = (u64 *)guest_stack_top - 1;
    *stack = (u64)guest_done;
    vmwrite(GUEST_RSP, (u64)stack);
    vmwrite(GUEST_RIP, (u64)guest);
    return run_on();
}

u32 entry_error(void) { return (u32)vmread(INSTRUCTION_ERROR); }
