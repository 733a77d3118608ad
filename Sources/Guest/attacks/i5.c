/* I5: the driver looks for what the kernel has left in XMM registers. */
#include "attack.h"

static void attack(void) {
    u64 value;
    asm volatile("movq %%xmm3, %0" : "=r"(value));
    _printk("attack: XMM3 holds %llx\n", value);
}
