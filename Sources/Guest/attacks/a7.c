/* A7: keeps the processor, with interrupts off. */
#include "attack.h"

static void attack(void) {
    asm volatile("cli\n1:\tjmp 1b");
}
