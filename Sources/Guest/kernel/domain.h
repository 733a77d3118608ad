/* Isolated domains as the kernel sees them. */
#ifndef KERNEL_DOMAIN_H
#define KERNEL_DOMAIN_H
#include "kernel.h"
#include "network.h"

enum { DOMAIN_REFERENCES = 256 };

/* What a reference that a domain holds stands for: the domain only ever sees the number (capabilities, G2). */
struct reference {
    u32 type; /* 0 free */
    u32 next_free;
    void *object;
};
enum reference_type { REFERENCE_FREE, REFERENCE_NETDEV, REFERENCE_SKB, REFERENCE_LINK_OPS, REFERENCE_TAG_SET, REFERENCE_DISK };

struct domain {
    char name[64];
    u32 id;
    volatile u32 dead;
    u64 base;               /* GVA of its window */
    u64 dispatch, init_module, cleanup_module; /* addresses inside it; the kernel calls none of them */
    u64 root;               /* physical address of its level-4 page table */
    u64 process_roots[16];  /* that alias it in its views */
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
    u32 first_free;         /* reference; 0 none */
    struct reference references[DOMAIN_REFERENCES];
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
void domain_killed(u64 cause, u64 detail, u64 rip, u64 address);
void domain_answered_badly(struct domain *domain, u64 detail);

/* Calls the domain: 0 and the reply in *message, or -EFAULT when the domain is, or now has been, terminated. */
int vmfunc_klcd_wrapper(struct domain *domain, struct lvd_message *message);

u32 reference_new(struct domain *domain, enum reference_type type, void *object);
void *reference_get(struct domain *domain, u64 number, enum reference_type type);
void reference_drop(struct domain *domain, u64 number);
/* Drops it if it still stands for that object: false when someone else was first. */
bool reference_end(struct domain *domain, u64 number, const void *object);

/* Extended page tables of a domain (ept.c). Rights as LVD_READ... */
u64 ept_create(struct domain *domain);
void ept_unmap(u64 eptp, u64 guest_physical);
void ept_map(struct domain *domain, u64 eptp, u64 guest_physical, u64 host_physical, u32 permissions);
void *domain_page(struct domain *domain);
#endif
