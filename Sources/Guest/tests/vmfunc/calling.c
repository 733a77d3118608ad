/* Which VMFUNC is executed, which is undefined, which leaves the guest. */
#include "tests.h"

volatile u64 at_vmfunc, seen[8];

static u64 function, index; /* what the guest passes in RAX and RCX */
static void call(void) { vmfunc(function, index); }
static void call_caught(void) { vmfunc_caught(function, index); }
static u64 with(void (*guest)(void), u64 rax, u64 rcx) {
    function = rax;
    index = rcx;
    return run(guest);
}

/* SDM 3D A.11: bit 0 of IA32_VMX_VMFUNC. */
static enum outcome capability_reports_eptp_switching(void) { return verdict(rdmsr(0x491) & 1); }

/* VMFUNC, "Operation": #UD outside VMX non-root operation. */
static enum outcome in_root_operation_is_undefined(void) {
    vmfunc_caught(0, 0);
    return verdict(exception_vector == 6 + 1 && exception_rip == at_vmfunc);
}

static enum outcome control_0_is_undefined(void) {
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) & ~SECONDARY_VMFUNC);
    return verdict(undefined_opcode(with(call_caught, 0, 1)));
}
static enum outcome secondary_controls_inactive_is_undefined(void) {
    vmwrite(PROC_CONTROLS, vmread(PROC_CONTROLS) & ~(u64)PROC_SECONDARY);
    return verdict(undefined_opcode(with(call_caught, 0, 1)));
}
static enum outcome eax_64_is_undefined(void) { return verdict(undefined_opcode(with(call_caught, 64, 1))); }
static enum outcome eax_largest_is_undefined(void) { return verdict(undefined_opcode(with(call_caught, 0xffffffff, 1))); }
static enum outcome eax_64_is_undefined_before_the_exit(void) { /* also where no function is enabled */
    vmwrite(VMFUNC_CONTROLS, 0);
    return verdict(undefined_opcode(with(call_caught, 64, 1)));
}

static enum outcome eax_1_exits(void) { return verdict(vmfunc_exit(with(call, 1, 1))); }
static enum outcome eax_63_exits(void) { return verdict(vmfunc_exit(with(call, 63, 1))); }
static enum outcome function_0_disabled_exits(void) {
    vmwrite(VMFUNC_CONTROLS, 0);
    return verdict(vmfunc_exit(with(call, 0, 1)));
}
static enum outcome ecx_512_exits(void) { return verdict(vmfunc_exit(with(call, 0, 512))); }
static enum outcome ecx_largest_exits(void) { return verdict(vmfunc_exit(with(call, 0, 0xffffffff))); }

static enum outcome high_half_of_rax_is_ignored(void) {
    return verdict(with(call, 5ULL << 32, 1) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[1]);
}
static enum outcome high_half_of_rcx_is_ignored(void) {
    return verdict(with(call, 0, 5ULL << 32 | 1) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[1]);
}

/* SDM 3C 28.2.1 "Basic VM-Exit Information" and 28.2.5: nothing to say, and the length of the instruction. */
/* A function that is off, an index out of the list, an entry that is not valid. */
static bool each_exit_has(enum vmcs_field field, u64 value) {
    static const u64 causes[][2] = { { 1, 1 }, { 0, 512 }, { 0, 9 } };
    bool good = true;
    for (u32 n = 0; n < 3; n++)
        good &= vmfunc_exit(with(call, causes[n][0], causes[n][1])) && vmread(field) == value;
    return good;
}
static enum outcome exit_qualification_is_0(void) { return verdict(each_exit_has(EXIT_QUALIFICATION, 0)); }
static enum outcome exit_instruction_length_is_3(void) { return verdict(each_exit_has(INSTRUCTION_LENGTH, 3)); }
static enum outcome exit_leaves_registers(void) {
    return verdict(vmfunc_exit(with(call, 7, 0x123456789)) && guest_registers[0] == 7 && guest_registers[1] == 0x123456789);
}
static enum outcome guest_goes_on_behind_the_exit(void) {
    bool left = vmfunc_exit(with(call, 0, 512));
    return verdict(left && after_vmcall() == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[0]);
}

/* SDM 2D, VMFUNC: NP 0F 01 D4. */
#define WITH_PREFIX(bytes)                                                                                            \
    asm volatile("leaq 2f(%%rip), %%rdx\n\tmovq %%rdx, exception_resume(%%rip)\n\tleaq 1f(%%rip), %%rdx\n\t"          \
                 "movq %%rdx, at_vmfunc(%%rip)\n1:\t.byte " bytes ", 0x0f, 0x01, 0xd4\n2:" : : "a"(0), "c"(1) : "rdx", "memory")
static void prefix_lock(void) { WITH_PREFIX("0xf0"); }
static void prefix_66(void) { WITH_PREFIX("0x66"); }
static void prefix_f2(void) { WITH_PREFIX("0xf2"); }
static void prefix_f3(void) { WITH_PREFIX("0xf3"); }
static enum outcome lock_prefix_is_undefined(void) { return verdict(undefined_opcode(run(prefix_lock))); }
static enum outcome prefix_66_is_undefined(void) { return verdict(undefined_opcode(run(prefix_66))); }
static enum outcome prefix_f2_is_undefined(void) { return verdict(undefined_opcode(run(prefix_f2))); }
static enum outcome prefix_f3_is_undefined(void) { return verdict(undefined_opcode(run(prefix_f3))); }

/* SDM 3C 26.1.1 "Relative Priority of Faults and VM Exits": a fault of the instruction itself is an exception like any other. */
static enum outcome undefined_opcode_is_intercepted(void) {
    vmwrite(VMFUNC_CONTROLS, 0);
    vmwrite(EXCEPTION_BITMAP, 1 << 6);
    u64 reason = with(call, 64, 0);
    return verdict(reason == EXIT_EXCEPTION && (vmread(EXIT_INTERRUPTION) & 0xff) == 6 && vmread(GUEST_RIP) == at_vmfunc);
}

/* At any privilege level. */
static void at_user(void) { in_user_mode(call); }
static void at_user_caught(void) { in_user_mode(call_caught); }
static enum outcome user_mode_switches(void) {
    return verdict(with(at_user, 0, 1) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[1] && (vmread(CS_SELECTOR) & 3) == 3);
}
static enum outcome user_mode_exits(void) { return verdict(vmfunc_exit(with(at_user, 0, 512))); }
static enum outcome user_mode_is_undefined(void) {
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) & ~SECONDARY_VMFUNC);
    return verdict(undefined_opcode(with(at_user_caught, 0, 1)));
}

const struct test calling_tests[] = {
    TEST(capability_reports_eptp_switching), TEST(in_root_operation_is_undefined), TEST(control_0_is_undefined),
    TEST(secondary_controls_inactive_is_undefined), TEST(eax_64_is_undefined), TEST(eax_largest_is_undefined),
    TEST(eax_64_is_undefined_before_the_exit), TEST(eax_1_exits), TEST(eax_63_exits), TEST(function_0_disabled_exits),
    TEST(ecx_512_exits), TEST(ecx_largest_exits), TEST(high_half_of_rax_is_ignored), TEST(high_half_of_rcx_is_ignored),
    TEST(exit_qualification_is_0), TEST(exit_instruction_length_is_3), TEST(exit_leaves_registers),
    TEST(guest_goes_on_behind_the_exit), TEST(lock_prefix_is_undefined), TEST(prefix_66_is_undefined),
    TEST(prefix_f2_is_undefined), TEST(prefix_f3_is_undefined), TEST(undefined_opcode_is_intercepted),
    TEST(user_mode_switches), TEST(user_mode_exits), TEST(user_mode_is_undefined), { 0, 0 },
};
