/*
 * Capability spaces (docs/capabilities.md): what a domain may name. Whoever holds a capability names it by a number that means something
 * in its own space only; the kernel's own space holds what it grants from. Rights and the tree of what was derived from what
 * are the kernel's: a domain only ever sees numbers.
 */
#ifndef KERNEL_CAPABILITY_H
#define KERNEL_CAPABILITY_H
#include "../lib/lib.h"
#include <lvd/capabilities.h>

enum { CSPACE_SLOTS = 256, CSPACE_MOST_GRANTED = 64 /* of them, by other domains */ };

/* The first five are references: objects that glue names in messages. */
enum reference_type {
    REFERENCE_FREE, REFERENCE_NETDEV, REFERENCE_SKB, REFERENCE_LINK_OPS, REFERENCE_TAG_SET, REFERENCE_DISK,
    REFERENCE_MEMORY, REFERENCE_DOMAIN,
};

/* What is wrong with a number. In the order of the causes from LVD_CAUSE_FORGED on. */
enum capability_flaw { CAPABILITY_GOOD, CAPABILITY_FORGED, CAPABILITY_FOREIGN, CAPABILITY_STALE, CAPABILITY_WRONG_TYPE };

/* A name: slot, how often the slot was used before, and whose space it is, so that no name is ever given twice. */
#define NAME_SLOT(name) ((name) & 0xfff)
#define NAME_GENERATION(name) ((u32)((name) >> 12))
#define NAME_SPACE(name) ((u32)((name) >> 44))
enum { MOST_SPACES = 1 << 19 }; /* a name is never negative */

struct capability {
    volatile u64 name;          /* 0: the slot is free */
    void *volatile object;
    struct cspace *space;
    struct capability *parent, *children, *next; /* what it was derived from; the first and next of what was derived from that */
    u32 mapped;                 /* of memory: where in the holder's window; 0 nowhere */
    u32 generation;
    volatile u8 type;           /* enum reference_type */
    u8 rights;                  /* LVD_CAP_... */
    bool unseen;                /* granted, and not received yet */
    u16 slot, next_free;
};
_Static_assert(sizeof(struct capability) == 64, "a line of the cache");

struct cspace {
    spinlock_t lock;
    u32 number, first_free, held, granted;
    u64 made;
    volatile bool closed;       /* takes nothing any more */
    void *owner;                /* struct domain; NULL: the kernel */
    struct capability slots[CSPACE_SLOTS];
};

struct capability_counts { u64 made, granted, revoked, held; };
extern struct capability_counts capability_counts; /* made, held: of spaces that have ended */

void cspace_begin(struct cspace *space, void *owner);
void cspace_close(struct cspace *space); /* its holder is dead: nothing that was derived is left, and nothing is mapped */
void cspace_end(struct cspace *space);

u64 capability_create(struct cspace *space, enum reference_type type, u32 rights, void *object); /* 0: the space is full */
bool capability_end(struct cspace *space, u64 name, const void *object); /* with all derived; object NULL: whatever it is */
s64 capability_grant(struct cspace *from, u64 name, struct cspace *to, u32 rights); /* the name in `to`, or -errno */
s64 capability_grant_locked(struct cspace *from, u64 name, struct cspace *to, u32 rights);
s64 capability_revoke(struct cspace *space, u64 name);                   /* how many derived ones ended, or -errno */
enum capability_flaw capability_judge(struct cspace *space, u64 name, enum reference_type type);
u64 capability_next(const struct cspace *space, enum reference_type type, u64 after);

/* NULL unless this space holds it under that name, and it is of that type. */
static inline void *capability_get(const struct cspace *space, u64 name, enum reference_type type) {
#ifdef WEAK_S19 /* "the slot says it all" */
    (void)type;
    return space->slots[NAME_SLOT(name) % CSPACE_SLOTS].object;
#else
    u64 slot = NAME_SLOT(name);
    if (slot >= CSPACE_SLOTS)
        return NULL;
    const struct capability *capability = &space->slots[slot];
    void *object = capability->object; /* before the name: a slot changes hands with the name last */
    return capability->type == type && capability->name == name ? object : NULL;
#endif
}

/* The tree, locked: no capability is derived or revoked, no memory mapped meanwhile. From any context; nests in nothing. */
bool capability_tree_lock(void);
void capability_tree_unlock(bool softirqs);
struct capability *capability_held(struct cspace *space, u64 name); /* until the tree is unlocked, if it is memory */

/*
 * The environment. Unmap: the memory leaves its holder's view, while processors may still have translations. Forget: none has any more, on
 * its return. Release: nobody can reach the object of a root any more.
 */
void capability_unmap(struct capability *capability);
void capability_forget_translations(void);
void capability_release(enum reference_type type, void *object);
#endif
