/* Extended page tables of domains (SDM 3C 31.3.2 "EPT Translation Mechanism"). The kernel is trusted and edits them directly. */
#include "domain.h"
#include "monitor.h"

enum { EPT_READ = 1, EPT_WRITE = 2, EPT_EXECUTE = 4, EPT_WRITE_BACK = 6 << 3 };

/* A zeroed page that goes back when the domain does. */
void *domain_page(struct domain *domain) {
    struct page_block { struct page_block *next; u32 count; void *pages[509]; } *block = domain->pages;
    void *page = pages_alloc(1);
    if (!block || block->count == ARRAY_SIZE(block->pages)) {
        block = pages_alloc(1);
        block->next = domain->pages;
        domain->pages = block;
    }
    block->pages[block->count++] = page;
    return page;
}

u64 ept_create(struct domain *domain) { return physical(domain_page(domain)) | eptp_template(); }

/* One 4 KiB page; the rights are exactly the given ones. */
void ept_map(struct domain *domain, u64 eptp, u64 guest_physical, u64 host_physical, u32 permissions) {
    u64 *table = direct(eptp & PTE_ADDRESS);
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 *entry = &table[guest_physical >> shift & 511];
        if (!*entry)
            *entry = physical(domain_page(domain)) | EPT_READ | EPT_WRITE | EPT_EXECUTE;
        table = direct(*entry & PTE_ADDRESS);
    }
    table[guest_physical >> 12 & 511] = host_physical | EPT_WRITE_BACK
        | (permissions & LVD_READ ? EPT_READ : 0) | (permissions & LVD_WRITE ? EPT_WRITE : 0)
        | (permissions & LVD_EXECUTE ? EPT_EXECUTE : 0);
}

/* The translation may be cached until ept_invalidate. */
void ept_unmap(u64 eptp, u64 guest_physical) {
    u64 *table = direct(eptp & PTE_ADDRESS);
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 entry = table[guest_physical >> shift & 511];
        if (!entry)
            return;
        table = direct(entry & PTE_ADDRESS);
    }
    table[guest_physical >> 12 & 511] = 0;
}
