/* Isolated domains as the kernel sees them. */
#ifndef KERNEL_DOMAIN_H
#define KERNEL_DOMAIN_H
#include "capability.h"
#include "kernel.h"
#include "network.h"

enum { GRANT_PAGES = (LVD_WINDOW_GRANTS_END - LVD_WINDOW_GRANTS) / LVD_PAGE_SIZE };

/* What a capability of that type stands for: consecutive pages. Lent: the kernel's own, which end otherwise. */
struct memory {
    u8 *base;
    u32 pages;
    bool lent;
};

struct domain {
    char name[64];
    u32 id;
    volatile u32 dead;
    u64 base;               /* GVA of its window */
    u64 dispatch, init_module, cleanup_module; /* addresses inside it; the kernel calls none of them */
    u64 root;               /* physical address of its level-4 page table */
    u64 process_roots[80];  /* that alias it in its views */
    u32 process_root_count;
    u64 eptp[LVD_MAX_CPUS];
    u64 *register_page[LVD_MAX_CPUS];
    u8 *percpu_page[LVD_MAX_CPUS]; /* the first of what GS points to inside */
    struct lvd_state_page *state_copy[LVD_MAX_CPUS];
    u64 free_stacks[LVD_MAX_CPUS];
    struct payload_pool pool;
    u64 heap_mapped;        /* bytes from LVD_WINDOW_HEAP on */
    u32 holds_rtnl;
    spinlock_t lock;
    struct cspace space;
    u64 self;               /* root of the capabilities for this domain, in the kernel's space */
    struct memory pool_memory;
    u64 pool_root, pool_name; /* the pool in the kernel's space, and in this domain's */
    u8 grants_used[GRANT_PAGES];
    bool stale;             /* its views have lost something that processors may have cached */
    volatile u32 misnamed;  /* enum capability_flaw, of what it has just named */
    u64 misnamed_name;
    void *timers;           /* of its driver (block_timers.c) */
    void *pages;            /* every page the domain owns, for its end: linked blocks of page addresses */
};

static inline struct thread *current(void) {
    struct thread *thread;
    asm volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(LVD_PERCPU_CURRENT));
    return thread;
}

void remap_cr3(struct domain *domain, u64 cr3);
void domains_forget_root(u64 cr3);
void domain_load(const struct boot_module *module);
void domain_destroy(struct domain *domain);
extern struct domain *domains[LVD_MAX_DOMAINS];
bool domain_changed_root(void); /* it is terminated for that */
void domain_killed(u64 cause, u64 detail, u64 rip, u64 address);
void domain_answered_badly(struct domain *domain, u64 detail);

/* Calls the domain: 0 and the reply in *message, or -EFAULT when the domain is, or now has been, terminated. */
int vmfunc_klcd_wrapper(struct domain *domain, struct lvd_message *message);

/* References: the capabilities by which a domain names objects of the kernel. 0 when it holds too many already. */
static inline u64 reference_new(struct domain *domain, enum reference_type type, void *object) {
    return capability_create(&domain->space, type, 0, object);
}
void reference_misnamed(struct domain *domain, u64 name, enum capability_flaw flaw);
/* What a domain named: for NULL it ends, and the report says why. */
static inline void *reference_get(struct domain *domain, u64 name, enum reference_type type) {
    void *object = capability_get(&domain->space, name, type);
    if (!object)
        reference_misnamed(domain, name, capability_judge(&domain->space, name, type));
    return object;
}
static inline u64 reference_next(struct domain *domain, enum reference_type type, u64 after) {
    return capability_next(&domain->space, type, after);
}
static inline void reference_drop(struct domain *domain, u64 name) { capability_end(&domain->space, name, NULL); }
/* Drops it if it still stands for that object: false when someone else was first. */
static inline bool reference_end(struct domain *domain, u64 name, const void *object) {
    return capability_end(&domain->space, name, object);
}

/* Grants (grants.c). */
extern struct cspace kernel_space;
struct memory *memory_create(u64 pages);
u64 memory_lend(struct domain *domain, struct memory *memory, u64 address, u32 rights, u64 *root);
void domain_revoke(struct domain *domain);
void capabilities_check(u64 heap_blocks);
bool capability_call(struct domain *domain, struct lvd_message *message);
void domain_back(struct domain *domain, u64 address, u64 host, u32 permissions);
void domain_unback(struct domain *domain, u64 address);

/* Extended page tables of a domain (ept.c). Rights as LVD_READ... */
u64 ept_create(struct domain *domain);
void ept_unmap(u64 eptp, u64 guest_physical);
void ept_map(struct domain *domain, u64 eptp, u64 guest_physical, u64 host_physical, u32 permissions);
void *domain_page(struct domain *domain);
#endif
