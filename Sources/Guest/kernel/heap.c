/* The kernel's heap on the direct map, and the per-CPU areas with their allocator. */
#include "kernel.h"
#include "../lib/ethernet.h"

static struct heap kernel_heap;
u8 percpu_areas[LVD_MAX_CPUS][LVD_PERCPU_STRIDE] __attribute__((aligned(LVD_PAGE_SIZE)));
static u64 percpu_next = LVD_PERCPU_DYNAMIC;

void kernel_heap_init(void) {
    size_t pages = memory_end / LVD_PAGE_SIZE;
    kernel_heap.base = direct(0);
    kernel_heap.page_class = pages_alloc(ALIGN_UP(pages, LVD_PAGE_SIZE) / LVD_PAGE_SIZE);
    kernel_heap.page_run = pages_alloc(ALIGN_UP(pages * 4, LVD_PAGE_SIZE) / LVD_PAGE_SIZE);
    kernel_heap.get_pages = pages_alloc;
    kernel_heap.put_pages = pages_free;
}

static u64 blocks;
u64 heap_blocks_in_use(void) { return blocks; }

void *kmalloc(size_t size) {
    void *block = heap_alloc(&kernel_heap, size);
    if (block)
        __sync_fetch_and_add(&blocks, 1);
    return block;
}

void *kzalloc(size_t size) {
    void *block = kmalloc(size);
    return block ? memset(block, 0, size) : NULL;
}

void kfree(const void *block) {
    if (block)
        __sync_fetch_and_sub(&blocks, 1);
    heap_free(&kernel_heap, (void *)block);
}

u64 per_cpu_base(u32 cpu) { return (u64)percpu_areas[cpu]; }

/* Hands out offsets: the address on a CPU is the offset plus that CPU's base. Freed ones are not used again. */
void *percpu_alloc(size_t size, size_t align) {
    u64 offset = ALIGN_UP(percpu_next, align ? align : 8);
    if (offset + size > LVD_PERCPU_STRIDE)
        return NULL;
    percpu_next = offset + size;
    return (void *)offset;
}
