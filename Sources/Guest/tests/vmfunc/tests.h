/* Sub-tests by what they are about. Each starts from a fresh VMCS and fresh views (vmx_reset). */
#ifndef VMFUNC_TESTS_H
#define VMFUNC_TESTS_H
#include "machine.h"

enum outcome { FAIL, PASS, SKIP };
struct test {
    const char *name;
    enum outcome (*run)(void);
};
#define TEST(name) { #name, name }

extern const struct test calling_tests[], switching_tests[], list_tests[], view_tests[], entry_tests[];

/* In the guest. `at_vmfunc` is the address of the last VMFUNC that was tried, 3 bytes long. */
extern volatile u64 at_vmfunc, seen[8];

static inline void vmfunc(u64 rax, u64 rcx) {
    asm volatile("leaq 1f(%%rip), %%rdx\n\tmovq %%rdx, at_vmfunc(%%rip)\n1:\tvmfunc"
                 : "+a"(rax), "+c"(rcx) : : "rdx", "memory");
}
/* The same where an exception is expected: execution goes on behind it. */
static inline void vmfunc_caught(u64 rax, u64 rcx) {
    asm volatile("leaq 2f(%%rip), %%rdx\n\tmovq %%rdx, exception_resume(%%rip)\n\t"
                 "leaq 1f(%%rip), %%rdx\n\tmovq %%rdx, at_vmfunc(%%rip)\n1:\tvmfunc\n2:"
                 : "+a"(rax), "+c"(rcx) : : "rdx", "memory");
}
static inline void vmcall(void) { asm volatile("vmcall" : : : "memory"); }
/* The number of the view that is active. */
static inline u64 view(void) { return *(volatile u64 *)WINDOW - 100; }
static inline u64 window_word(u32 page) { return *(volatile u64 *)(WINDOW + page * PAGE); }
static inline void store_window(u32 page, u64 value) { *(volatile u64 *)(WINDOW + page * PAGE) = value; }

/* Behind VMCALL. */
static inline u64 after_vmcall(void) {
    vmwrite(GUEST_RIP, vmread(GUEST_RIP) + 3);
    return run_on();
}
static inline enum outcome verdict(bool good) { return good ? PASS : FAIL; }
/* #UD at the VMFUNC, and the view as it was. */
static inline bool undefined_opcode(u64 reason) {
    return reason == EXIT_VMCALL && exception_vector == 6 + 1 && exception_rip == at_vmfunc && vmread(EPT_POINTER) == eptp[0];
}
/* Exit 59 at the VMFUNC, and the view as it was. */
static inline bool vmfunc_exit(u64 reason) {
    return reason == EXIT_VMFUNC && vmread(GUEST_RIP) == at_vmfunc && vmread(EPT_POINTER) == eptp[0] && !exception_vector;
}
#endif
