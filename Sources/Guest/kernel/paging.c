/* The kernel's page tables: the image with exact rights (nothing writable is executable), RAM and the local APIC in the direct map. */
#include "kernel.h"

extern char __text_start[], __text_end[], __rodata_end[], __data_start[], __bss_end[];
u64 kernel_cr3;

static u64 *table_below(u64 *entry) {
    if (!(*entry & PTE_PRESENT))
        *entry = physical(pages_alloc(1)) | PTE_PRESENT | PTE_WRITE;
    return direct(*entry & PTE_ADDRESS);
}

/* The level-1 entry of address (SDM 3A 4.5 "4-Level Paging"), with the tables above it. */
u64 *page_entry(u64 cr3, u64 address) {
    u64 *table = direct(cr3 & PTE_ADDRESS);
    for (int shift = 39; shift > 12; shift -= 9)
        table = table_below(&table[address >> shift & 511]);
    return &table[address >> 12 & 511];
}

void map_page(u64 cr3, u64 address, u64 physical_address, u64 flags) {
    *page_entry(cr3, address) = physical_address | flags | PTE_PRESENT | PTE_ACCESSED;
}

u64 permissions_to_pte(u32 permissions) {
    return PTE_PRESENT | (permissions & LVD_WRITE ? PTE_WRITE | PTE_DIRTY : 0) | (permissions & LVD_EXECUTE ? 0 : PTE_NO_EXECUTE);
}

static void map_large(u64 cr3, u64 address, u64 physical_address, u64 flags) {
    u64 *table = direct(cr3 & PTE_ADDRESS);
    for (int shift = 39; shift > 21; shift -= 9)
        table = table_below(&table[address >> shift & 511]);
    table[address >> 21 & 511] = physical_address | flags | PTE_LARGE | PTE_PRESENT | PTE_ACCESSED;
}

static void map_image(char *start, char *end, u32 permissions) {
    for (u64 at = (u64)start; at < (u64)end; at += LVD_PAGE_SIZE)
        map_page(kernel_cr3, at, at - LVD_KERNEL_BASE, permissions_to_pte(permissions));
}

/* Called on the boot page tables: until the switch, the direct map does not exist yet except as built here. */
void paging_init(void) {
    u64 image = physical(__text_start) & ~0x1fffffULL, image_data = physical(__data_start);

    kernel_cr3 = physical(pages_alloc(1));
    map_image(__text_start, __text_end, LVD_READ | LVD_EXECUTE);
    map_image(__text_end, __rodata_end, LVD_READ);
    map_image(__data_start, __bss_end, LVD_READ | LVD_WRITE);
    for (u64 at = 0; at < memory_end; at += 0x200000) {
        bool constant = at >= image && at < image_data;
        map_large(kernel_cr3, LVD_DIRECT_MAP + at, at, permissions_to_pte(constant ? LVD_READ : LVD_READ | LVD_WRITE));
    }
    map_large(kernel_cr3, LVD_DIRECT_MAP + 0xfee00000, 0xfee00000, permissions_to_pte(LVD_READ | LVD_WRITE) | PTE_UNCACHED);
    write_cr3(kernel_cr3);
}
