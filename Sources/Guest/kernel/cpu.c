/* Per-processor tables: GDT, TSS with its interrupt stacks, the one IDT, per-CPU area. */
#include "extended.h"

#define SHARED __attribute__((section(".bss.shared"), aligned(LVD_PAGE_SIZE)))

SHARED struct lvd_state_page vmfunc_state_page;
SHARED u64 idt_table[512];
SHARED u8 lvd_gdt_pages[LVD_MAX_CPUS][LVD_PAGE_SIZE];
SHARED u8 lvd_tss_pages[LVD_MAX_CPUS][LVD_PAGE_SIZE];
SHARED u8 lvd_ist_stacks[LVD_MAX_CPUS][IST_COUNT][LVD_PAGE_SIZE];
static u8 nmi_stacks[LVD_MAX_CPUS][2 * LVD_PAGE_SIZE] __attribute__((aligned(16)));

extern u8 entry_stubs[256][16];
extern u8 __vmfunc_text_start[], __vmfunc_text_end[], __entry_text_start[], __entry_text_end[];

/* What is mapped at the same address in the kernel and in every domain, and nothing else. */
#define RANGE __attribute__((section(".lvd_shared_ranges"), used)) static const struct lvd_shared_range
#define WHOLE(object) (u64)&object, (u64)&object + sizeof object
RANGE vmfunc_text = { (u64)__vmfunc_text_start, (u64)__vmfunc_text_end, LVD_READ | LVD_EXECUTE, 0, "__vmfunc_text" };
RANGE entry_text = { (u64)__entry_text_start, (u64)__entry_text_end, LVD_READ | LVD_EXECUTE, 0, "__entry_text" };
RANGE idt = { WHOLE(idt_table), LVD_READ, 0, "idt_table" };
RANGE gdt = { WHOLE(lvd_gdt_pages), LVD_READ, 1, "lvd_gdt_pages" };
RANGE tss = { WHOLE(lvd_tss_pages), LVD_READ, 1, "lvd_tss_pages" };
RANGE ist = { WHOLE(lvd_ist_stacks), LVD_READ | LVD_WRITE, 1, "lvd_ist_stacks" };
RANGE state = { (u64)&vmfunc_state_page, (u64)&vmfunc_state_page + LVD_PAGE_SIZE, LVD_READ, 2, "vmfunc_state_page" };

static u64 ist_top(u32 cpu, u32 ist) { return (u64)lvd_ist_stacks[cpu][ist]; } /* IST n: above array element n - 1 */

static u32 ist_of_vector(u32 vector) {
    switch (vector) {
    case 1: return IST_DEBUG;
    case 2: return IST_NMI;
    case 8: return IST_DOUBLE_FAULT;
    case 18: return IST_MACHINE_CHECK;
#ifdef WEAK_A4 /* a gate that somebody forgot */
    case 0xf0: return 0;
#endif
    default: return vector < 32 ? IST_EXCEPTION : IST_IRQ;
    }
}

/* SDM 3A 6.14.1 "64-Bit Mode IDT": every gate an interrupt gate on an interrupt stack of its class (A4). */
static void fill_idt(void) {
    for (u32 vector = 0; vector < 256; vector++) {
        u64 target = (u64)entry_stubs[vector];
        idt_table[2 * vector] = (target & 0xffff) | (u64)KERNEL_CS << 16 | (u64)ist_of_vector(vector) << 32
            | (vector == VECTOR_USER ? 0xeeULL : 0x8eULL) << 40 | (target >> 16 & 0xffff) << 48;
        idt_table[2 * vector + 1] = target >> 32;
    }
}

/* The kernel's copy of the state page for one CPU. */
void fill_state_page(struct lvd_state_page *page, u32 cpu) {
    *page = (struct lvd_state_page){
        .in_kernel = 1,
        .cpuid = cpu,
        .kernel_gs_base = (u64)percpu_areas[cpu],
        .lcd_stack_saved = 1,
        .irq_frame = ist_top(cpu, IST_IRQ) - FRAME_SIZE,
        .nmi_frame = ist_top(cpu, IST_NMI) - FRAME_SIZE,
        .nmi_stack = (u64)nmi_stacks[cpu] + sizeof nmi_stacks[cpu],
        .cr3 = kernel_cr3,
    };
}

void wipe_interrupt_frames(u32 cpu) {
    memset((void *)(ist_top(cpu, IST_IRQ) - FRAME_SIZE), 0, FRAME_SIZE);
    memset((void *)(ist_top(cpu, IST_NMI) - FRAME_SIZE), 0, FRAME_SIZE);
    memset((void *)(ist_top(cpu, IST_EXCEPTION) - FRAME_SIZE), 0, FRAME_SIZE);
}

static void load_tables(u32 cpu) {
    u64 *gdt_words = (u64 *)lvd_gdt_pages[cpu];
    u8 *tss_bytes = lvd_tss_pages[cpu];
    u64 base = (u64)tss_bytes;
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer;

    for (u32 ist_number = 1; ist_number <= IST_COUNT; ist_number++)
        *(u64 *)(tss_bytes + 0x1c + 8 * ist_number) = ist_top(cpu, ist_number);
    *(u16 *)(tss_bytes + 102) = 104; /* no I/O permission bitmap */

    gdt_words[KERNEL_CS / 8] = 0x00af9b000000ffff; /* accessed bits set: the processor never writes to this page */
    gdt_words[KERNEL_DS / 8] = 0x00cf93000000ffff;
    gdt_words[TSS_SELECTOR / 8] = 103 | (base & 0xffffff) << 16 | 0x89ULL << 40 | (base >> 24 & 0xff) << 56;
    gdt_words[TSS_SELECTOR / 8 + 1] = base >> 32;

    gdt_words[USER_DS / 8] = 0x00cff3000000ffff;
    gdt_words[USER_CS / 8] = 0x00affb000000ffff;

    pointer.limit = USER_CS | 7;
    pointer.base = (u64)gdt_words;
    asm volatile("lgdt %0" : : "m"(pointer));
    asm volatile("pushq %0\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n1:\n\t"
                 "movw %1, %%ss\n\tmovw %1, %%ds\n\tmovw %1, %%es\n\tmovw %1, %%fs\n\tmovw %1, %%gs\n\tltr %2"
                 : : "i"(KERNEL_CS), "r"((u16)KERNEL_DS), "r"((u16)TSS_SELECTOR) : "rax", "memory");
    pointer.limit = sizeof idt_table - 1;
    pointer.base = (u64)idt_table;
    asm volatile("lidt %0" : : "m"(pointer));
}

void cpu_init(u32 cpu, u64 kernel_stack) {
    struct percpu *area = (struct percpu *)percpu_areas[cpu];
    u64 cr4;

    if (!(cpuid(7, 0, 0).ebx & 1))
        finish(LVD_STATUS_BAD_BOOT, "this processor has no RDGSBASE and WRGSBASE");
    asm volatile("movq %%cr4, %0" : "=r"(cr4));
    asm volatile("movq %0, %%cr4" : : "r"(cr4 | 1 << 16)); /* CR4.FSGSBASE */
    extended_init();

    if (cpu == 0) {
        fill_idt();
        fill_state_page(&vmfunc_state_page, 0);
        vmfunc_state_page.kernel_gs_base = 0; /* one page for all CPUs until the monitor is there: GS is right everywhere */
    }
    load_tables(cpu);
    area->this_cpu_off = (u64)area;
    area->cpu_number = cpu;
    area->canary = random_next(&kernel_random);
    area->current = &area->boot_thread;
    area->nmi_stack = (u64)nmi_stacks[cpu] + sizeof nmi_stacks[cpu];
    area->boot_thread.kernel_stack = kernel_stack;
    write_msr(0xc0000101, (u64)area); /* IA32_GS_BASE */
}
