/* Physical pages: a bitmap and first fit. Addresses handed out are direct-map addresses; pages are zeroed. */
#include "kernel.h"

enum { MOST_PAGES = 1 << 18 }; /* the kernel hands out the first GiB at most; RAM above is only mapped */

u64 memory_end;
static u64 used[MOST_PAGES / 64];
static u64 limit, hint;
static size_t in_use;
static spinlock_t lock;

static bool is_used(u64 page) { return used[page / 64] >> (page % 64) & 1; }
static void mark(u64 page, bool value) {
    if (value)
        used[page / 64] |= 1ULL << (page % 64);
    else
        used[page / 64] &= ~(1ULL << (page % 64));
}

void pages_reserve(u64 start, u64 end) {
    for (u64 page = start / LVD_PAGE_SIZE; page < ALIGN_UP(end, LVD_PAGE_SIZE) / LVD_PAGE_SIZE && page < MOST_PAGES; page++)
        mark(page, true);
}

void pages_init(u64 end, u64 first_free) {
    limit = end / LVD_PAGE_SIZE < MOST_PAGES ? end / LVD_PAGE_SIZE : MOST_PAGES;
    pages_reserve(0, first_free);
    hint = first_free / LVD_PAGE_SIZE;
}

void *pages_alloc(size_t count) {
    u64 flags = spin_lock_irqsave(&lock);
    for (u64 page = hint; page + count <= limit;) {
        u64 run = 0;
        while (run < count && !is_used(page + run))
            run++;
        if (run < count) {
            page += run + 1;
            continue;
        }
        for (u64 i = 0; i < count; i++)
            mark(page + i, true);
        if (page == hint)
            hint += count;
        in_use += count;
        spin_unlock_irqrestore(&lock, flags);
        return memset(direct(page * LVD_PAGE_SIZE), 0, count * LVD_PAGE_SIZE);
    }
    panic("out of memory: %u pages wanted, %u in use", (u32)count, (u32)in_use);
}

void pages_free(void *pages, size_t count) {
    u64 flags = spin_lock_irqsave(&lock);
    u64 page = physical(pages) / LVD_PAGE_SIZE;
    for (u64 i = 0; i < count; i++)
        mark(page + i, false);
    if (page < hint)
        hint = page;
    in_use -= count;
    spin_unlock_irqrestore(&lock, flags);
}

size_t pages_in_use(void) { return in_use; }
