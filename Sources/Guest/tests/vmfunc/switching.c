/* What a completed EPTP switch changes, and what it does not. */
#include "tests.h"

static void to_1(void) {
    seen[0] = view();
    vmfunc(0, 1);
    seen[1] = view();
}
static enum outcome memory_is_the_other_views(void) {
    return verdict(run(to_1) == EXIT_VMCALL && seen[0] == 0 && seen[1] == 1);
}
static enum outcome eptp_field_is_the_new_one(void) { return verdict(run(to_1) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[1]); }
static enum outcome no_exit_happens(void) { /* the first exit is the guest's own */
    return verdict(run(to_1) == EXIT_VMCALL && vmread(GUEST_RIP) == (u64)guest_done);
}

static void there_and_back(void) {
    vmfunc(0, 1);
    seen[0] = view();
    vmfunc(0, 0);
    seen[1] = view();
}
static enum outcome back_to_entry_0(void) {
    return verdict(run(there_and_back) == EXIT_VMCALL && seen[0] == 1 && seen[1] == 0 && vmread(EPT_POINTER) == eptp[0]);
}
static void to_0(void) { vmfunc(0, 0); }
static enum outcome to_the_same_view(void) { return verdict(run(to_0) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[0]); }

static void through_all(void) {
    for (u32 n = 0; n < 512; n++) {
        vmfunc(0, n);
        seen[0] += view() == n % VIEWS;
    }
}
static enum outcome each_of_512_entries(void) {
    seen[0] = 0;
    for (u32 n = 0; n < 512; n++)
        eptp_list[n] = eptp[n % VIEWS];
    return verdict(run(through_all) == EXIT_VMCALL && seen[0] == 512);
}

static void registers(void) {
    u64 cr3, rbx = 0x1111, rsi = 0x2222, rdi = 0x3333, r[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    asm volatile("movq %%cr3, %0" : "=r"(cr3));
    asm volatile("movq (%4), %%r8\n\tmovq 8(%4), %%r9\n\tmovq 16(%4), %%r10\n\tmovq 24(%4), %%r11\n\t"
                 "xorl %%eax, %%eax\n\tmovl $1, %%ecx\n\tvmfunc\n\t"
                 "movq %%rax, 32(%4)\n\tmovq %%rcx, 40(%4)\n\t"
                 "movq %%r8, (%4)\n\tmovq %%r9, 8(%4)\n\tmovq %%r10, 16(%4)\n\tmovq %%r11, 24(%4)"
                 : "+b"(rbx), "+S"(rsi), "+D"(rdi) : "m"(r), "r"(r)
                 : "rax", "rcx", "r8", "r9", "r10", "r11", "cc", "memory");
    seen[0] = rbx == 0x1111 && rsi == 0x2222 && rdi == 0x3333 && r[0] == 1 && r[1] == 2 && r[2] == 3 && r[3] == 4 && r[4] == 0
        && r[5] == 1;
    asm volatile("movq %%cr3, %0" : "=r"(seen[2]));
    seen[2] = seen[2] == cr3;
}
static enum outcome registers_stay(void) { return verdict(run(registers) == EXIT_VMCALL && seen[0]); }

static void flags(void) { /* none set, and all six */
    for (u64 image = 2; image <= 0x8d7; image += 0x8d5) {
        u64 after;
        asm volatile("pushq %1\n\tpopfq\n\tvmfunc\n\tpushfq\n\tpopq %0" : "=&r"(after) : "r"(image), "a"(0), "c"(1) : "cc", "memory");
        seen[1] += after == image;
    }
}
static enum outcome flags_stay(void) {
    seen[1] = 0;
    return verdict(run(flags) == EXIT_VMCALL && seen[1] == 2);
}
static enum outcome cr3_stays(void) { return verdict(run(registers) == EXIT_VMCALL && seen[2]); }

/* The next instruction is fetched through the new view. */
static enum outcome next_fetch_is_the_new_views(void) {
    for (u64 at = 0; at < 4 << 20; at += 2 << 20)
        *large_entry(1, at) &= ~4ULL;
    u64 reason = run(to_1);
    return verdict(reason == EXIT_EPT_VIOLATION && vmread(EXIT_QUALIFICATION) >> 2 & 1 && vmread(GUEST_RIP) == at_vmfunc + 3
                   && vmread(EPT_POINTER) == eptp[1]);
}
static enum outcome next_fetch_of_unmapped_code(void) {
    for (u64 at = 0; at < 4 << 20; at += 2 << 20)
        *large_entry(1, at) = 0;
    /* The walk of the guest's own page tables may already fail: they lie there, too. */
    return verdict(run(to_1) == EXIT_EPT_VIOLATION && vmread(GUEST_RIP) == at_vmfunc + 3 && vmread(GUEST_PHYSICAL) < 4 << 20);
}

/* Traps belong to the instruction behind which they come, and are taken in the new view. */
static void single_step(void) {
    asm volatile("leaq 1f(%%rip), %%rdx\n\tmovq %%rdx, exception_resume(%%rip)\n\tleaq 1f(%%rip), %%rdx\n\t"
                 "movq %%rdx, at_vmfunc(%%rip)\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tvmfunc\n1:\tnop"
                 : : "a"(0), "c"(1) : "rdx", "cc", "memory");
}
static enum outcome single_step_trap_follows(void) {
    return verdict(run(single_step) == EXIT_VMCALL && exception_vector == 1 + 1 && exception_rip == at_vmfunc && exception_view == 101);
}
static enum outcome monitor_trap_flag_follows(void) {
    static u8 code[] __attribute__((aligned(16))) = { 0x0f, 0x01, 0xd4, 0x90 };
    if (!has_mtf)
        return SKIP;
    vmwrite(PROC_CONTROLS, vmread(PROC_CONTROLS) | PROC_MTF);
    guest_registers[0] = 0;
    guest_registers[1] = 1;
    return verdict(run((void (*)(void))(u64)code) == EXIT_MTF && vmread(GUEST_RIP) == (u64)code + 3 && vmread(EPT_POINTER) == eptp[1]);
}

/* An interrupt that waits is taken right behind the switch (STI holds it for the one instruction). */
static void interrupted(void) {
    volatile u32 *apic = (volatile u32 *)0xfee00000;
    apic[0xf0 / 4] = 0x1ff;
    apic[0x310 / 4] = 0;
    apic[0x300 / 4] = 0x44000 | 0x21; /* to itself */
    for (u32 n = 0; n < 1000; n++)
        asm volatile("pause");
    asm volatile("leaq 1f(%%rip), %%rdx\n\tmovq %%rdx, exception_resume(%%rip)\n\tmovq %%rdx, at_vmfunc(%%rip)\n\t"
                 "sti\n\tvmfunc\n1:\tcli" : : "a"(0), "c"(1) : "rdx", "cc", "memory");
}
static enum outcome interrupt_right_behind(void) {
    return verdict(run(interrupted) == EXIT_VMCALL && exception_vector == 0x21 + 1 && exception_rip == at_vmfunc && exception_view == 101);
}

static enum outcome without_vpid(void) {
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) & ~SECONDARY_VPID);
    return verdict(run(there_and_back) == EXIT_VMCALL && seen[0] == 1 && seen[1] == 0);
}

const struct test switching_tests[] = {
    TEST(memory_is_the_other_views), TEST(eptp_field_is_the_new_one), TEST(no_exit_happens), TEST(back_to_entry_0),
    TEST(to_the_same_view), TEST(each_of_512_entries), TEST(registers_stay), TEST(flags_stay), TEST(cr3_stays),
    TEST(next_fetch_is_the_new_views), TEST(next_fetch_of_unmapped_code), TEST(single_step_trap_follows),
    TEST(monitor_trap_flag_follows), TEST(interrupt_right_behind), TEST(without_vpid), { 0, 0 },
};
