/* A2: VMFUNC to a third entry of the EPTP list. In a sound system there is none and the attempt ends in an exit. */
#include "attack.h"

static void attack(void) {
    asm volatile("vmfunc" : : "a"(0), "c"(2) : "memory");
    _printk("attack: list entry 2 is valid\n");
}
