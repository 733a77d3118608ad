/* The monitor takes over each CPU beneath the kernel, which goes on in VMX non-root operation; and the way back. */
#include "domain.h"
#include "monitor.h"
#include <lvd/hypercalls.h>
#include <lvd/interrupts.h>
#include <lvd/launch.h>

struct elf_header { u8 ident[16]; u16 type, machine; u32 version; u64 entry, phoff, shoff; u32 flags; u16 size, phentsize, phnum; };
struct elf_segment { u32 type, flags; u64 offset, vaddr, paddr, filesz, memsz, align; };

bool monitor_running, launches_early;
static u64 monitor_entry, launch_cr3, kernel_eptp;
static u64 *eptp_lists[LVD_MAX_CPUS];
static struct lvd_state_page *state_pages[LVD_MAX_CPUS];
static volatile u64 launch_error;
static u64 interrupt_mode;

extern u8 lvd_upcall_entry[];

struct hypercall_result { u64 rax, rbx, rcx; };
static struct hypercall_result hypercall(u64 leaf, u64 rbx, u64 rcx) {
    struct hypercall_result r;
    asm volatile("cpuid" : "=a"(r.rax), "=b"(r.rbx), "=c"(r.rcx) : "a"(leaf), "b"(rbx), "c"(rcx) : "rdx", "memory");
    return r;
}

u64 *eptp_list(u32 cpu) { return eptp_lists[cpu]; }
u64 eptp_template(void) { return kernel_eptp & 0xfff; }
void monitor_write(u64 address, u64 length) { hypercall(LVD_LEAF_CONSOLE, address, length); }
void ept_invalidate(u64 eptp) { hypercall(LVD_LEAF_INVALIDATE, eptp, 0); }

static void place(const struct boot_module *module) {
    const u8 *file = direct(module->start);
    const struct elf_header *elf = (const void *)file;
    const struct elf_segment *segment = (const void *)(file + elf->phoff);

    if (memcmp(elf->ident, "\177ELF\2\1", 6) || elf->machine != 62)
        finish(LVD_STATUS_BAD_BOOT, "the monitor is not an x86-64 ELF file");
    for (u32 i = 0; i < elf->phnum; i++, segment++) {
        if (segment->type != 1)
            continue;
        if (segment->paddr < LVD_MONITOR_PHYS || segment->paddr + segment->memsz > LVD_MONITOR_PHYS_END
            || segment->offset + segment->filesz > module->end - module->start)
            finish(LVD_STATUS_BAD_BOOT, "the monitor does not fit into its memory");
        memset(direct(segment->paddr), 0, segment->memsz);
        memcpy(direct(segment->paddr), file + segment->offset, segment->filesz);
    }
    monitor_entry = elf->entry;
}

/* The kernel's page tables, and the monitor's memory and the local APIC at their physical addresses; for the one call per CPU. */
static void make_launch_tables(void) {
    u64 *root = pages_alloc(1), *pdpt = pages_alloc(1), *pd = pages_alloc(1), *apic = pages_alloc(1);
    memcpy(root, direct(kernel_cr3), LVD_PAGE_SIZE);
    root[0] = physical(pdpt) | PTE_PRESENT | PTE_WRITE;
    pdpt[0] = physical(pd) | PTE_PRESENT | PTE_WRITE;
    for (u64 at = LVD_MONITOR_PHYS; at < LVD_MONITOR_PHYS_END; at += 0x200000)
        pd[at >> 21] = at | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
    pdpt[3] = physical(apic) | PTE_PRESENT | PTE_WRITE;
    apic[503] = 0xfee00000 | PTE_PRESENT | PTE_WRITE | PTE_LARGE | PTE_UNCACHED;
    launch_cr3 = physical(root);
}

void launch_cpu(u32 cpu) {
    struct lvd_launch launch = {
        .magic = LVD_LAUNCH_MAGIC, .cpu = cpu, .memory_end = memory_end, .state_page = physical(&vmfunc_state_page),
        .upcall_entry = (u64)lvd_upcall_entry, .results = physical(&lvd_results),
        .interrupts = interrupt_mode,
    };
    u64 error;

    interrupts_off();
    write_cr3(launch_cr3);
    error = ((u64 (*)(const struct lvd_launch *))monitor_entry)(&launch);
    write_cr3(kernel_cr3);
    if (error) {
        launch_error = error;
        return;
    }
    if (hypercall(LVD_LEAF_ACK, 0, 0).rax != LVD_LEAF_ACK_ANSWER)
        panic("CPU %u: the monitor does not answer", cpu);

    /* From here on this CPU has a state page and an EPTP list of its own. */
    fill_state_page(state_pages[cpu], cpu);
    hypercall(LVD_LEAF_MAP_PAGE, physical(&vmfunc_state_page), physical(state_pages[cpu]));
    struct hypercall_result r = hypercall(LVD_LEAF_INSTALL_EPTP_LIST, (u32)physical(eptp_lists[cpu]), physical(eptp_lists[cpu]) >> 32);
    eptp_lists[cpu][0] = (u32)r.rbx | r.rcx << 32;
    if (cpu == 0)
        kernel_eptp = eptp_lists[cpu][0];
    hypercall(LVD_LEAF_LOCK, 0, 0);
    interrupts_on();
}

void launch_prepare(const struct boot_module *module, u32 cpus) {
    option_number(boot_command, "interrupts", &interrupt_mode);
    place(module);
    make_launch_tables();
    for (u32 cpu = 0; cpu < cpus; cpu++) {
        eptp_lists[cpu] = pages_alloc(1);
        state_pages[cpu] = pages_alloc(1);
    }
}

void launch_check(void) {
    if (launch_error)
        finish(LVD_STATUS_BAD_BOOT, "the monitor could not start (error %llu)", launch_error);
    monitor_running = true;
    print("monitor: running beneath %u CPU%s\n", nr_cpu_ids, nr_cpu_ids == 1 ? "" : "s");
}

/* -- the way back ------------------------------------------------------------------------------------------------------ */

struct native { u64 cr0, cr4, gs_base, efer, pat, dr6, dr7, xcr0; u16 gdt_limit, idt_limit; u64 gdt_base, idt_base; u16 segments[6], tr; };

static u64 read_cr(u32 number) {
    u64 value;
    if (number)
        asm volatile("movq %%cr4, %0" : "=r"(value));
    else
        asm volatile("movq %%cr0, %0" : "=r"(value));
    return value;
}

/* All that the kernel can see of its own state. */
static void observe(struct native *state) {
    struct { u16 limit; u64 base; } __attribute__((packed)) table;
    memset(state, 0, sizeof *state);
    state->cr0 = read_cr(0);
    state->cr4 = read_cr(4);
    state->gs_base = read_msr(0xc0000101);
    state->efer = read_msr(0xc0000080);
    state->pat = read_msr(0x277);
    asm volatile("movq %%dr6, %0\n\tmovq %%dr7, %1" : "=r"(state->dr6), "=r"(state->dr7));
    if (state->cr4 & 1 << 18) { /* CR4.OSXSAVE */
        u32 low, high;
        asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        asm volatile("xsetbv" : : "c"(0), "a"(low), "d"(high)); /* as it was: the monitor does it for the kernel */
        state->xcr0 = low | (u64)high << 32;
    }
    asm volatile("sgdt %0" : "=m"(table));
    state->gdt_limit = table.limit;
    state->gdt_base = table.base;
    asm volatile("sidt %0" : "=m"(table));
    state->idt_limit = table.limit;
    state->idt_base = table.base;
    asm volatile("movw %%es, %0\n\tmovw %%cs, %1\n\tmovw %%ss, %2\n\tmovw %%ds, %3\n\tmovw %%fs, %4\n\tmovw %%gs, %5\n\tstr %6"
                 : "=m"(state->segments[0]), "=m"(state->segments[1]), "=m"(state->segments[2]), "=m"(state->segments[3]),
                   "=m"(state->segments[4]), "=m"(state->segments[5]), "=m"(state->tr));
}

static void promote_cpu(u32 cpu) {
    struct native before, after;
    u64 flags = interrupts_save();

    observe(&before);
    write_cr3(launch_cr3);
    hypercall(LVD_LEAF_PROMOTE, 0, 0);
    write_cr3(kernel_cr3);
    observe(&after);
    if (memcmp(&before, &after, sizeof before))
        panic("CPU %u: the monitor left another state behind than it found", cpu);
    if (hypercall(LVD_LEAF_ACK, 0, 0).rax == LVD_LEAF_ACK_ANSWER)
        panic("CPU %u: the monitor is still there", cpu);
    __sync_fetch_and_add(&lvd_counters.promoted, 1);
    interrupts_restore(flags);
}

/* No domain is loaded any more. */
void promote_kernel(void) {
    smp_run_everywhere(promote_cpu);
    monitor_running = false;
    print("monitor: gone, %u CPU%s native again\n", nr_cpu_ids, nr_cpu_ids == 1 ? "" : "s");
}
