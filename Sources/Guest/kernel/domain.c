/*
 * Creation and end of an isolated domain. It has one guest page table, complete from the start and never changed, and per CPU one
 * extended page table, in which memory appears as the domain gets it. The root of every process that may enter it (here: the
 * kernel's own) is in those an alias of the domain's root, so VMFUNC changes both maps at once under the same CR3.
 */
#include "block.h"
#include "domain.h"
#include "monitor.h"
#include "network.h"

enum { ALL_CPUS = -1, HEAP_PAGES_AT_START = 64, MOST_TABLES = 64 };

struct domain *domains[LVD_MAX_DOMAINS];
extern const struct lvd_shared_range lvd_shared_ranges[], lvd_shared_ranges_end[];

/* The domain's page-table pages, in the order of their guest-physical addresses. */
struct tables {
    struct domain *domain;
    u64 *pages[MOST_TABLES];
    u32 count;
};

static u64 guest_physical(u64 address) { return address - LVD_KERNEL_BASE + LVD_DOMAIN_GPA; }
static u64 table_address(struct tables *tables, u32 n) { return tables->domain->base + LVD_WINDOW_PAGE_TABLES + n * LVD_PAGE_SIZE; }

static u64 *new_table(struct tables *tables, u64 *guest) {
    if (tables->count == MOST_TABLES)
        panic("a domain needs more than %u page-table pages", (u32)MOST_TABLES);
    *guest = guest_physical(table_address(tables, tables->count));
    return tables->pages[tables->count++] = domain_page(tables->domain);
}

/* The guest leaf: what the domain may do with an address, whatever backs it. */
static void set_leaf(struct tables *tables, u64 address, u32 permissions) {
    u64 *table = tables->pages[0], first = guest_physical(table_address(tables, 0));
    for (int shift = 39; shift > 12; shift -= 9) {
        u64 *entry = &table[address >> shift & 511], guest;
        if (!*entry) {
            new_table(tables, &guest);
            *entry = guest | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
        }
        table = tables->pages[((*entry & PTE_ADDRESS) - first) / LVD_PAGE_SIZE];
    }
    table[address >> 12 & 511] = guest_physical(address) | permissions_to_pte(permissions) | PTE_ACCESSED;
}

/* The extended leaf: what backs it, on one CPU or on all. */
static void back(struct domain *domain, u64 address, u64 host, u32 permissions, s32 only_cpu) {
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        if (only_cpu == ALL_CPUS || (u32)only_cpu == cpu)
            ept_map(domain, domain->eptp[cpu], guest_physical(address), host, permissions);
}

/* On all CPUs, with the domain's lock. What is taken away may be cached until it is invalidated. */
void domain_back(struct domain *domain, u64 address, u64 host, u32 permissions) {
    back(domain, address, host, permissions, ALL_CPUS);
}
void domain_unback(struct domain *domain, u64 address) {
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        ept_unmap(domain->eptp[cpu], guest_physical(address));
}

static void map(struct tables *tables, u64 address, u64 host, u32 permissions, s32 only_cpu) {
    set_leaf(tables, address, permissions);
    back(tables->domain, address, host, permissions, only_cpu);
}

static void map_new(struct tables *tables, u64 address, u64 bytes, u32 permissions) {
    for (u64 at = 0; at < bytes; at += LVD_PAGE_SIZE)
        map(tables, address + at, physical(domain_page(tables->domain)), permissions, ALL_CPUS);
}

/* Code and tables that kernel and domains have at the same address; a domain gets the least rights, and only its CPU's part. */
static void map_shared(struct tables *tables) {
    for (const struct lvd_shared_range *range = lvd_shared_ranges; range < lvd_shared_ranges_end; range++) {
        u64 part = (range->end - range->start) / LVD_MAX_CPUS;
        if (range->per_cpu == 2)
            continue; /* the state page: map_per_cpu */
        for (u64 at = range->start; at < range->end; at += LVD_PAGE_SIZE) {
            u64 cpu = (at - range->start) / part;
            u32 permissions = range->permissions;
#ifdef WEAK_S2
            permissions |= LVD_WRITE;
#endif
            if (!range->per_cpu)
                map(tables, at, at - LVD_KERNEL_BASE, permissions, ALL_CPUS);
            else if (cpu < nr_cpu_ids)
#ifdef WEAK_A3 /* one map for all processors is simpler */
                map(tables, at, at - LVD_KERNEL_BASE, permissions, ALL_CPUS);
#else
                map(tables, at, at - LVD_KERNEL_BASE, permissions, (s32)cpu);
#endif
        }
    }
}

static void map_per_cpu(struct tables *tables, u32 cpu) {
    struct domain *domain = tables->domain;
    u64 area = domain->base + LVD_WINDOW_PERCPU + cpu * LVD_PERCPU_STRIDE;
    u64 stacks = domain->base + LVD_WINDOW_STACKS + cpu * LVD_STACKS_PER_CPU * LVD_STACK_STRIDE;

    struct lvd_state_page *state = domain_page(domain);
    state->in_kernel = 0;
    state->cpuid = cpu;
    state->domain_entry = domain->dispatch;
    domain->state_copy[cpu] = state;
#ifdef WEAK_S3
    map(tables, (u64)&vmfunc_state_page, physical(state), LVD_READ | LVD_WRITE, (s32)cpu);
#else
    map(tables, (u64)&vmfunc_state_page, physical(state), LVD_READ, (s32)cpu);
#endif

    domain->register_page[cpu] = domain_page(domain);
    map(tables, domain->base + LVD_WINDOW_REGISTERS, physical(domain->register_page[cpu]), LVD_READ | LVD_WRITE, (s32)cpu);

#ifdef WEAK_A6 /* so that the driver can acknowledge its interrupts by itself */
    map(tables, domain->base + LVD_WINDOW_REGISTERS + LVD_PAGE_SIZE, 0xfee00000, LVD_READ | LVD_WRITE, (s32)cpu);
#endif
    for (u64 at = 0; at < LVD_PERCPU_MAPPED; at += LVD_PAGE_SIZE) {
        u8 *page = domain_page(domain);
        if (at == 0) {
            domain->percpu_page[cpu] = page;
            *(u64 *)(page + LVD_PERCPU_CANARY) = random_next(&kernel_random);
            *(u64 *)(page + LVD_PERCPU_THIS_CPU_OFF) = area;
            *(u32 *)(page + LVD_PERCPU_CPU_NUMBER) = cpu;
        }
        map(tables, area + at, physical(page), LVD_READ | LVD_WRITE, ALL_CPUS);
    }
    for (u32 slot = 0; slot < LVD_STACKS_PER_CPU; slot++)
        map_new(tables, stacks + slot * LVD_STACK_STRIDE + LVD_PAGE_SIZE, LVD_STACK_SIZE, LVD_READ | LVD_WRITE);
    domain->free_stacks[cpu] = (1ULL << LVD_STACKS_PER_CPU) - 1;
}

static void map_image(struct tables *tables, const struct lvd_domain_header *header) {
    for (u32 i = 0; i < header->segment_count; i++) {
        const struct lvd_segment *s = &header->segments[i];
        for (u64 at = 0; at < s->memory_bytes; at += LVD_PAGE_SIZE) {
            u8 *page = domain_page(tables->domain);
            if (at < s->file_bytes) {
                u64 n = s->file_bytes - at < LVD_PAGE_SIZE ? s->file_bytes - at : LVD_PAGE_SIZE;
                memcpy(page, (const u8 *)header + s->file_offset + at, n);
            }
            map(tables, header->base + s->offset + at, physical(page), s->permissions, ALL_CPUS);
#ifdef WEAK_I1 /* "handy for debugging": the kernel sees the image at the domain's addresses */
            map_page(kernel_cr3, header->base + s->offset + at, physical(page), permissions_to_pte(s->permissions));
#endif
        }
    }
}

/* The domain's page tables, readable to it and nothing more (I2); the views let the processor's walks write accessed flags. */
static void map_tables(struct tables *tables) {
#ifdef WEAK_I2
    u32 leaf = LVD_READ | LVD_WRITE;
#else
    u32 leaf = LVD_READ;
#endif
    for (u32 n = 0; n < tables->count; n++) { /* may add to the tables while it runs */
        set_leaf(tables, table_address(tables, n), leaf);
        back(tables->domain, table_address(tables, n), physical(tables->pages[n]), LVD_READ | LVD_WRITE, ALL_CPUS);
    }
}

/* Backs more of the heap, from where it ends. */
bool domain_grow_heap(struct domain *domain, u64 pages) {
    u64 bytes = pages * LVD_PAGE_SIZE, flags = spin_lock_irqsave(&domain->lock);
    bool good = pages && pages <= 1024 && domain->heap_mapped + bytes <= LVD_WINDOW_HEAP_END - LVD_WINDOW_HEAP;
    for (u64 at = 0; good && at < bytes; at += LVD_PAGE_SIZE) {
        u64 page = physical(domain_page(domain));
        domain_back(domain, domain->base + LVD_WINDOW_HEAP + domain->heap_mapped + at, page, LVD_READ | LVD_WRITE);
#ifdef WEAK_I3 /* "devices want physical addresses": the heap has those that it has in the machine, too */
        for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
            ept_map(domain, domain->eptp[cpu], page, page, LVD_READ | LVD_WRITE);
#endif
    }
    domain->heap_mapped += good ? bytes : 0;
    spin_unlock_irqrestore(&domain->lock, flags);
    return good;
}

static bool aliases(const struct domain *domain, u64 cr3) {
    for (u32 n = 0; n < domain->process_root_count; n++)
        if (domain->process_roots[n] == cr3)
            return true;
    return false;
}

/* In every view: process root -> the domain's own root (2.4). Adding a mapping needs no invalidation. */
void remap_cr3(struct domain *domain, u64 cr3) {
    u64 flags;
    if (aliases(domain, cr3))
        return;
    flags = spin_lock_irqsave(&domain->lock);
    if (!aliases(domain, cr3)) { /* another CPU may have been ending a process meanwhile, and so moving the list */
        if (domain->process_root_count == ARRAY_SIZE(domain->process_roots))
            panic("more than %u processes call into one domain", (u32)ARRAY_SIZE(domain->process_roots));
        for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
            ept_map(domain, domain->eptp[cpu], cr3, domain->root, LVD_READ | LVD_WRITE);
        domain->process_roots[domain->process_root_count++] = cr3;
    }
    spin_unlock_irqrestore(&domain->lock, flags);
}

/* The process has ended: its root is memory like any other again, so no domain may have it as a root (1.4). */
static void forget_all_views(u32 cpu) {
    for (u32 id = 0; id < LVD_MAX_DOMAINS; id++)
        if (domains[id])
            ept_invalidate(domains[id]->eptp[cpu]);
}
static spinlock_t list_lock; /* a domain that is in the list is whole */
void domains_forget_root(u64 cr3) {
    u64 flags = spin_lock_irqsave(&list_lock);
    for (u32 id = 0; id < LVD_MAX_DOMAINS; id++) {
        struct domain *domain = domains[id];
        if (!domain)
            continue;
        spin_lock(&domain->lock);
        for (u32 n = 0; n < domain->process_root_count; n++)
            if (domain->process_roots[n] == cr3) {
                for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
                    ept_unmap(domain->eptp[cpu], cr3);
                domain->process_roots[n--] = domain->process_roots[--domain->process_root_count];
            }
        spin_unlock(&domain->lock);
    }
    spin_unlock_irqrestore(&list_lock, flags);
    smp_call(forget_all_views);
}

void domain_load(const struct boot_module *module) {
    const struct lvd_domain_header *header = image_header(module);
    u32 id = (u32)((header->base - LVD_DOMAIN_BASE) / LVD_DOMAIN_STRIDE);
    struct domain *domain = kzalloc(sizeof *domain);
    struct tables *tables = kzalloc(sizeof *tables);
    u64 root_guest;

    strscpy(domain->name, header->name, sizeof domain->name);
    domain->id = id;
    domain->base = header->base;
    domain->dispatch = header->dispatch;
    domain->init_module = header->init_module;
    domain->cleanup_module = header->cleanup_module;
    tables->domain = domain;
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        domain->eptp[cpu] = ept_create(domain);
    domain->root = physical(new_table(tables, &root_guest));

    pool_create(&domain->pool, id);
    map_shared(tables);
    map_image(tables, header);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        map_per_cpu(tables, cpu);
    for (u64 at = 0; at < POOL_PAGES * LVD_PAGE_SIZE; at += LVD_PAGE_SIZE)
        set_leaf(tables, domain->base + LVD_WINDOW_POOL + at, LVD_READ | LVD_WRITE);
    for (u64 at = LVD_WINDOW_HEAP; at < LVD_WINDOW_GRANTS_END; at += LVD_PAGE_SIZE)
        set_leaf(tables, domain->base + at, LVD_READ | LVD_WRITE);
    domain_grow_heap(domain, HEAP_PAGES_AT_START);
    map_tables(tables);
    remap_cr3(domain, kernel_cr3);
    cspace_begin(&domain->space, domain);
    domain->self = capability_create(&kernel_space, REFERENCE_DOMAIN, LVD_CAP_GRANT, domain);
    domain->pool_memory = (struct memory){ domain->pool.base, POOL_PAGES, true };
    domain->pool_name = memory_lend(domain, &domain->pool_memory, domain->base + LVD_WINDOW_POOL, LVD_CAP_READ | LVD_CAP_WRITE,
                                    &domain->pool_root);

    print("domain %u: %s at %llx, %u page-table pages\n", id, domain->name, domain->base, tables->count);
    kfree(tables);
    domains[id] = domain;
}

static spinlock_t dying_lock;
static struct domain *dying;
static void forget_views(u32 cpu) {
    u64 *list = eptp_list(cpu);
    if (list[1] == dying->eptp[cpu])
        list[1] = 0;
    ept_invalidate(dying->eptp[cpu]);
}

/* Frees all that the domain owned. No thread may be inside it. */
void domain_destroy(struct domain *domain) {
    struct page_block { struct page_block *next; u32 count; void *pages[509]; } *block = domain->pages;
    u64 flags;

    domain->dead = 1;
    if (domain->holds_rtnl)
        rtnl_unlock();
    netdev_forget_domain(domain);
    block_forget_domain(domain);
    domain_revoke(domain);
    flags = spin_lock_irqsave(&list_lock);
    domains[domain->id] = NULL;
    spin_unlock_irqrestore(&list_lock, flags);
    spin_lock(&dying_lock);
    dying = domain;
    smp_call(forget_views); /* no stale translation may outlive the memory (S10) */
    spin_unlock(&dying_lock);
    capability_end(&kernel_space, domain->self, NULL);
    capability_end(&kernel_space, domain->pool_root, NULL);
    cspace_end(&domain->space);
    pool_destroy(&domain->pool);
    while (block) {
        struct page_block *next = block->next;
        for (u32 i = 0; i < block->count; i++)
            pages_free(block->pages[i], 1);
        pages_free(block, 1);
        block = next;
    }
    kfree(domain);
}

/* The first mistake counts: it is the one that ends the domain. */
void reference_misnamed(struct domain *domain, u64 name, enum capability_flaw flaw) {
    if (flaw == CAPABILITY_GOOD || domain->misnamed)
        return;
    domain->misnamed_name = name;
    domain->misnamed = flaw;
}
