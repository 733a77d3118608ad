/* Size classes 16 << n up to half a page, carved from single pages; larger blocks are runs of pages. */
#include "lib.h"

enum { SMALLEST = 16, CLASSES = 8, LARGE = 0xff };

static size_t page_index(struct heap *heap, const void *address) {
    return (size_t)((const u8 *)address - heap->base) / LVD_PAGE_SIZE;
}

static u32 class_of(size_t size) {
    u32 class = 0;
    while (((size_t)SMALLEST << class) < size)
        class++;
    return class;
}

static bool refill(struct heap *heap, u32 class) {
    size_t size = (size_t)SMALLEST << class;
    u8 *page = heap->get_pages(1);
    if (!page)
        return false;
    heap->page_class[page_index(heap, page)] = (u8)(class + 1);
    for (size_t at = LVD_PAGE_SIZE; at >= size; at -= size) {
        void **block = (void **)(page + at - size);
        *block = heap->free_lists[class];
        heap->free_lists[class] = block;
    }
    return true;
}

void *heap_alloc(struct heap *heap, size_t size) {
    void *block = NULL;
    u64 flags = spin_lock_irqsave(&heap->lock);
    if (size <= LVD_PAGE_SIZE / 2) {
        u32 class = class_of(size);
        if (heap->free_lists[class] || refill(heap, class)) {
            block = heap->free_lists[class];
            heap->free_lists[class] = *(void **)block;
        }
    } else if (size <= 0x1000000) {
        size_t pages = ALIGN_UP(size, LVD_PAGE_SIZE) / LVD_PAGE_SIZE;
        block = heap->get_pages(pages);
        if (block) {
            heap->page_class[page_index(heap, block)] = LARGE;
            heap->page_run[page_index(heap, block)] = (u32)pages;
        }
    }
    spin_unlock_irqrestore(&heap->lock, flags);
    return block;
}

void heap_free(struct heap *heap, void *block) {
    if (!block)
        return;
    u64 flags = spin_lock_irqsave(&heap->lock);
    size_t page = page_index(heap, block);
    u8 class = heap->page_class[page];
    if (class == LARGE) {
        heap->page_class[page] = 0;
        heap->put_pages(block, heap->page_run[page]);
    } else if (class) {
        *(void **)block = heap->free_lists[class - 1];
        heap->free_lists[class - 1] = block;
    }
    spin_unlock_irqrestore(&heap->lock, flags);
}
