/*
 * Memory that a domain has by capability, and what a domain may do with capabilities. Its guest page table has all of the grant window from
 * the start; what the extended tables hold there is what was mapped by capability, with the capability's rights.
 */
#include "domain.h"
#include "monitor.h"

struct cspace kernel_space; /* domains, and memory that kernel and domain share: the roots of what domains are granted */
static u64 memory_pages;    /* of all memory made */

struct memory *memory_create(u64 pages) {
    struct memory *memory = kzalloc(sizeof *memory);
    *memory = (struct memory){ pages_alloc(pages), (u32)pages, false };
    __sync_fetch_and_add(&memory_pages, pages);
    return memory;
}

void capability_release(enum reference_type type, void *object) {
    struct memory *memory = object;
    if (type != REFERENCE_MEMORY || memory->lent)
        return;
    __sync_fetch_and_sub(&memory_pages, memory->pages);
    pages_free(memory->base, memory->pages);
    kfree(memory);
}

/* -- mapping, with the tree locked --------------------------------------------------------------------------------------- */

static u64 host_address(const struct memory *memory, u64 page) { return physical(memory->base) + page * LVD_PAGE_SIZE; }

/* The first free run of that many pages in the grant window; ~0 none. */
static u64 window_find(const struct domain *domain, u64 pages) {
    for (u64 first = 0, run = 0; first + run < GRANT_PAGES;) {
        if (domain->grants_used[first + run]) {
            first += run + 1;
            run = 0;
        } else if (++run == pages) {
            return first;
        }
    }
    return ~0ULL;
}

/* At `address`, or (0) where there is room in the grant window, if there is. */
static void map_memory(struct domain *domain, struct capability *capability, u64 address) {
    const struct memory *memory = capability->object;
    u64 window = domain->base + LVD_WINDOW_GRANTS, flags;
    if (!address) {
        u64 first = window_find(domain, memory->pages);
        if (first == ~0ULL)
            return;
        memset(&domain->grants_used[first], 1, memory->pages);
        address = window + first * LVD_PAGE_SIZE;
    }
    capability->mapped = (u32)(address - domain->base);
    flags = spin_lock_irqsave(&domain->lock);
    for (u64 page = 0; page < memory->pages; page++)
        domain_back(domain, address + page * LVD_PAGE_SIZE, host_address(memory, page),
                    capability->rights & (LVD_CAP_READ | LVD_CAP_WRITE));
    spin_unlock_irqrestore(&domain->lock, flags);
}

void capability_unmap(struct capability *capability) {
    struct domain *domain = capability->space->owner;
    const struct memory *memory = capability->object;
    u64 first = (capability->mapped - (u64)LVD_WINDOW_GRANTS) / LVD_PAGE_SIZE;
    for (u64 page = 0; page < memory->pages; page++)
        domain_unback(domain, domain->base + capability->mapped + page * LVD_PAGE_SIZE);
    if (first < GRANT_PAGES) /* taken again only behind the invalidation: both want the tree */
        memset(&domain->grants_used[first], 0, memory->pages);
    domain->stale = true;
}

/* Every domain in `domains` whose view has lost something, on every processor. One that is dying is not there any more, and is there before. */
static void forget_here(u32 cpu) {
    for (u32 id = 0; id < LVD_MAX_DOMAINS; id++)
        if (domains[id] && domains[id]->stale)
            ept_invalidate(domains[id]->eptp[cpu]);
}
void capability_forget_translations(void) {
    smp_call(forget_here);
    for (u32 id = 0; id < LVD_MAX_DOMAINS; id++)
        if (domains[id])
            domains[id]->stale = false;
}

/* -- for the kernel ------------------------------------------------------------------------------------------------------ */

/* Memory of the kernel that a domain has at a place of its own, for as long as it lives. */
u64 memory_lend(struct domain *domain, struct memory *memory, u64 address, u32 rights, u64 *root) {
    memory->lent = true;
    *root = capability_create(&kernel_space, REFERENCE_MEMORY, rights | LVD_CAP_GRANT, memory);
    s64 name = capability_grant(&kernel_space, *root, &domain->space, rights);
    bool softirqs = capability_tree_lock();
    struct capability *capability = capability_held(&domain->space, (u64)name);
    if (name < 0 || !capability)
        panic("memory cannot be lent to a new domain: %lld", name);
    capability->unseen = false;
    map_memory(domain, capability, address);
    capability_tree_unlock(softirqs);
    return (u64)name;
}

/* The domain is dead, and somebody of its callers is outside: what others have from it goes now, its objects when nobody is inside. */
void domain_revoke(struct domain *domain) {
    if (domain->space.closed)
        return;
    capability_revoke(&kernel_space, domain->self);
    cspace_close(&domain->space);
}

/* Behind the last domain: all that was done for domains is undone, and the heap is what it was without them. */
void capabilities_check(u64 heap_blocks) {
    u64 held = capability_counts.held + kernel_space.held, blocks = heap_blocks_in_use();
    blocks = blocks > heap_blocks ? blocks - heap_blocks : 0;
    capability_counts.made += kernel_space.made;
    print("capabilities: %llu made, %llu granted, %llu revoked; %llu held, %llu pages of memory, %llu blocks of the heap left\n",
          capability_counts.made, capability_counts.granted, capability_counts.revoked, held, memory_pages, blocks);
    lvd_counters.capabilities_made = capability_counts.made;
    lvd_counters.capabilities_granted = capability_counts.granted;
    lvd_counters.capabilities_revoked = capability_counts.revoked;
    lvd_counters.capabilities_left = held + memory_pages + blocks;
    if (lvd_counters.capabilities_left)
        panic("the domains are gone, and %llu capabilities, %llu pages of memory and %llu blocks of the heap are left", held,
              memory_pages, blocks);
}

/* -- for domains --------------------------------------------------------------------------------------------------------- */

/* The domain of that driver. To hold this is to take what it grants. */
static s64 connect(struct domain *domain, u64 first, u64 second) {
    u64 name[3] = { first, second, 0 }, self = 0;
    bool softirqs = capability_tree_lock();
    for (u32 id = 0; id < LVD_MAX_DOMAINS; id++)
        if (domains[id] && domains[id] != domain && !domains[id]->space.closed && !strcmp(domains[id]->name, (char *)name))
            self = domains[id]->self;
    capability_tree_unlock(softirqs);
    s64 result = self ? capability_grant(&kernel_space, self, &domain->space, 0) : -ENOENT;
    return result == -EBADF ? -ENOENT : result; /* it has died meanwhile */
}

static s64 make_memory(struct domain *domain, u64 pages) {
    if (!pages || pages > GRANT_PAGES)
        return -EINVAL;
    struct memory *memory = memory_create(pages);
    u64 name = capability_create(&domain->space, REFERENCE_MEMORY, LVD_CAP_READ | LVD_CAP_WRITE | LVD_CAP_GRANT, memory);
    if (name)
        return (s64)name;
    capability_release(REFERENCE_MEMORY, memory);
    return -ENOSPC;
}

/* Whether `to` has a capability for `from`. */
static bool takes_from(const struct domain *to, const struct domain *from) {
    for (u64 name = 0; (name = capability_next(&to->space, REFERENCE_DOMAIN, name));)
        if (capability_get(&to->space, name, REFERENCE_DOMAIN) == from)
            return true;
    return false;
}

static s64 grant(struct domain *domain, u64 name, u64 to, u32 rights) {
    bool softirqs = capability_tree_lock(); /* the target does not end before this capability for it has */
    struct domain *target = capability_get(&domain->space, to, REFERENCE_DOMAIN);
    s64 result = !target ? -EBADF : takes_from(target, domain) ? 0 : -EPERM;
    if (!result)
        result = capability_grant_locked(&domain->space, name, &target->space, rights);
    capability_tree_unlock(softirqs);
    return result < 0 ? result : 0; /* how the target calls it is the target's */
}

static s64 receive(struct domain *domain) {
    bool softirqs = capability_tree_lock();
    s64 name = 0;
    for (u32 n = 1; n < CSPACE_SLOTS && !name; n++)
        if (domain->space.slots[n].name && domain->space.slots[n].unseen && domain->space.slots[n].type == REFERENCE_MEMORY) {
            domain->space.slots[n].unseen = false;
            name = (s64)domain->space.slots[n].name;
        }
    capability_tree_unlock(softirqs);
    return name;
}

static s64 map(struct domain *domain, u64 name) {
    bool softirqs = capability_tree_lock();
    struct capability *capability = capability_held(&domain->space, name);
    s64 result = -EBADF;
    if (capability && !domain->space.closed) {
        if (!capability->mapped)
            map_memory(domain, capability, 0);
        result = capability->mapped ? capability->mapped : -ENOSPC;
    }
    capability_tree_unlock(softirqs);
    return result;
}

static s64 rights_of(struct domain *domain, u64 name) {
    bool softirqs = capability_tree_lock();
    struct capability *capability = capability_held(&domain->space, name);
    s64 result = capability ? (s64)capability->rights : -EBADF;
    capability_tree_unlock(softirqs);
    return result;
}

static bool had(struct domain *domain, u64 name, enum reference_type type) {
    enum capability_flaw flaw = capability_judge(&domain->space, name, type);
    if (flaw == CAPABILITY_GOOD || flaw == CAPABILITY_STALE)
        return true;
    reference_misnamed(domain, name, flaw);
    return false;
}

/*
 * words[2] on: arguments; the result replaces the first. False ends the domain: a number that it was never given. One that it had is an
 * error that it can live with: what others granted ends when they want.
 */
bool capability_call(struct domain *domain, struct lvd_message *message) {
    u64 *words = &message->words[2], number = (u32)message->words[0];
    s64 result;
    if (message->words[1] != 3)
        return false;
    bool names = number != LVD_SYS_CONNECT && number != LVD_SYS_MEMORY && number != LVD_SYS_CAP_RECEIVE;
    bool is_connection = number == LVD_SYS_CAP_DELETE && capability_get(&domain->space, words[0], REFERENCE_DOMAIN);
    if (names && !is_connection && !had(domain, words[0], REFERENCE_MEMORY))
        return false;
    if (number == LVD_SYS_CAP_GRANT && !had(domain, words[1], REFERENCE_DOMAIN))
        return false;
    switch (number) {
    case LVD_SYS_CONNECT: result = connect(domain, words[0], words[1]); break;
    case LVD_SYS_MEMORY: result = make_memory(domain, words[0]); break;
    case LVD_SYS_CAP_GRANT: result = grant(domain, words[0], words[1], (u32)words[2]); break;
    case LVD_SYS_CAP_RECEIVE: result = receive(domain); break;
    case LVD_SYS_CAP_MAP: result = map(domain, words[0]); break;
    case LVD_SYS_CAP_REVOKE: result = capability_revoke(&domain->space, words[0]); break;
    case LVD_SYS_CAP_DELETE: result = capability_end(&domain->space, words[0], NULL) ? 0 : -EBADF; break;
    case LVD_SYS_CAP_RIGHTS: result = rights_of(domain, words[0]); break;
    default: return false;
    }
    words[0] = (u64)result;
    return true;
}
