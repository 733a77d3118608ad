/* A5: a breakpoint of the driver's own, to see the kernel's handler at work. In a sound system it is the last thing the domain does. */
#include "attack.h"

static void attack(void) {
    asm volatile("int3");
    _printk("attack: the breakpoint is over\n");
}
