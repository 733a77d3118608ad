/*
 * Capability spaces and the tree of derivation. Two kinds of locks: a space's own, under which slots change hands, is all that a reference
 * of a packet or a request takes; the tree's, under which capabilities are derived, revoked and mapped, comes before it.
 */
#include "capability.h"
#include "kernel.h"
#include "softirq.h"

spinlock_t capability_tree; /* held from the first unmapping of a revoke to its last invalidation */
struct capability_counts capability_counts;
static u32 last_space;

/* Deferred work stays away: it may call a domain that asks for what the lock protects. */
bool capability_tree_lock(void) {
    bool softirqs = softirq_hold();
    spin_lock_answering(&capability_tree);
    return softirqs;
}
void capability_tree_unlock(bool softirqs) {
    spin_unlock(&capability_tree);
    softirq_resume(softirqs);
}

void cspace_begin(struct cspace *space, void *owner) {
    space->owner = owner;
    space->number = __sync_add_and_fetch(&last_space, 1);
    if (space->number >= MOST_SPACES)
        panic("no number is left for a capability space");
    space->first_free = 0;
    for (u32 n = CSPACE_SLOTS - 1; n; n--) { /* 0 names nothing */
        space->slots[n].space = space;
        space->slots[n].slot = (u16)n;
        space->slots[n].next_free = (u16)space->first_free;
        space->first_free = n;
    }
}

/* -- slots, with the space's lock ---------------------------------------------------------------------------------------- */

static struct capability *slot_take(struct cspace *space) {
    struct capability *capability = &space->slots[space->first_free];
    if (!space->first_free || space->closed)
        return NULL;
    space->first_free = capability->next_free;
    space->held++;
    space->made++;
    return capability;
}

static u64 slot_fill(struct capability *capability, enum reference_type type, u32 rights, void *object) {
    struct cspace *space = capability->space;
    capability->object = object;
    capability->type = (u8)type;
    capability->rights = (u8)rights;
    return capability->name = capability->slot | (u64)++capability->generation << 12 | (u64)space->number << 44;
}

/* A slot whose generations are used up is not used again. */
static void slot_free(struct capability *capability) {
    struct cspace *space = capability->space;
    capability->name = 0;
    capability->object = NULL;
    capability->type = REFERENCE_FREE;
    space->held--;
    if (capability->generation != ~0u) {
        capability->next_free = (u16)space->first_free;
        space->first_free = capability->slot;
    }
}

struct capability *capability_held(struct cspace *space, u64 name) {
    u64 slot = NAME_SLOT(name);
    return slot && slot < CSPACE_SLOTS && space->slots[slot].name == name ? &space->slots[slot] : NULL;
}

u64 capability_create(struct cspace *space, enum reference_type type, u32 rights, void *object) {
    u64 flags = spin_lock_irqsave(&space->lock), name = 0;
    struct capability *capability = slot_take(space);
    if (capability)
        name = slot_fill(capability, type, rights, object);
    spin_unlock_irqrestore(&space->lock, flags);
    return name;
}

static enum capability_flaw judge(const struct cspace *space, u64 name, enum reference_type type) {
    u64 slot = NAME_SLOT(name);
    const struct capability *capability = &space->slots[slot % CSPACE_SLOTS];
    if (!slot || slot >= CSPACE_SLOTS || !NAME_SPACE(name) || NAME_SPACE(name) > last_space || !NAME_GENERATION(name))
        return CAPABILITY_FORGED;
    if (NAME_SPACE(name) != space->number)
        return CAPABILITY_FOREIGN;
    if (NAME_GENERATION(name) > capability->generation)
        return CAPABILITY_FORGED;
    if (capability->name != name)
        return CAPABILITY_STALE;
    return capability->type == type ? CAPABILITY_GOOD : CAPABILITY_WRONG_TYPE;
}

/* For a number that capability_get does not take: whoever loses it at this very moment has not named it wrongly. */
enum capability_flaw capability_judge(struct cspace *space, u64 name, enum reference_type type) {
    u64 flags = spin_lock_irqsave(&space->lock);
    enum capability_flaw flaw = judge(space, name, type);
    spin_unlock_irqrestore(&space->lock, flags);
    return flaw;
}

/* The first of that type in a slot behind `after`; 0 none. */
u64 capability_next(const struct cspace *space, enum reference_type type, u64 after) {
    for (u64 slot = NAME_SLOT(after) + 1; slot < CSPACE_SLOTS; slot++)
        if (space->slots[slot].type == type && space->slots[slot].name)
            return space->slots[slot].name;
    return 0;
}

/* -- the tree, locked ---------------------------------------------------------------------------------------------------- */

static void unlink_from_parent(struct capability *capability) {
    struct capability **link = &capability->parent->children;
    while (*link != capability)
        link = &(*link)->next;
    *link = capability->next;
    capability->parent = capability->next = NULL;
}

static bool unmap(struct capability *capability) {
    bool mapped = capability->mapped != 0;
    if (mapped)
        capability_unmap(capability);
    capability->mapped = 0;
    return mapped;
}

/* Ends one without children: of a root the object is left for who ends that. */
static void remove(struct capability *capability) {
    struct cspace *space = capability->space;
    u64 flags = spin_lock_irqsave(&space->lock);
    if (capability->parent) {
        unlink_from_parent(capability);
        space->granted--;
    }
    slot_free(capability);
    spin_unlock_irqrestore(&space->lock, flags);
}

/* Ends all that was derived from it, wherever, last derived first. How many. */
static u32 remove_derived(struct capability *capability, bool *unmapped) {
    u32 count = 0;
    while (capability->children) {
        struct capability *last = capability->children;
        while (last->children)
            last = last->children;
        *unmapped |= unmap(last);
        remove(last);
        count++;
    }
    capability_counts.revoked += count;
    return count;
}

static void forget_if(bool unmapped) {
#ifdef WEAK_S10 /* "the entries are gone, and that is what counts" */
    return;
#endif
    if (unmapped)
        capability_forget_translations();
}

bool capability_end(struct cspace *space, u64 name, const void *object) {
    u64 flags = spin_lock_irqsave(&space->lock);
    struct capability *capability = capability_held(space, name);
    bool good = capability && (!object || capability->object == object);
    bool alone = good && !capability->parent && !capability->children && capability->type < REFERENCE_MEMORY;
    if (alone)
        slot_free(capability);
    spin_unlock_irqrestore(&space->lock, flags);
    if (!good || alone)
        return good;

    bool softirqs = capability_tree_lock(), unmapped = false;
    capability = capability_held(space, name); /* someone may have been first */
    if (capability) {
        enum reference_type type = capability->type;
        void *root = capability->parent ? NULL : capability->object;
        remove_derived(capability, &unmapped);
        unmapped |= unmap(capability);
        remove(capability);
        forget_if(unmapped);
        if (root)
            capability_release(type, root);
    }
    capability_tree_unlock(softirqs);
    return capability != NULL;
}

s64 capability_revoke(struct cspace *space, u64 name) {
    bool softirqs = capability_tree_lock(), unmapped = false;
    struct capability *capability = capability_held(space, name);
    s64 count = capability ? (s64)remove_derived(capability, &unmapped) : -EBADF;
    forget_if(unmapped);
    capability_tree_unlock(softirqs);
    return count;
}

s64 capability_grant_locked(struct cspace *from, u64 name, struct cspace *to, u32 rights) {
    u64 flags = spin_lock_irqsave(&to->lock);
    struct capability *child = to->granted < CSPACE_MOST_GRANTED ? slot_take(to) : NULL, *parent;
    s64 result = 0;
    to->granted += child != NULL;
    spin_unlock_irqrestore(&to->lock, flags);
    if (!child)
        return -ENOSPC;

    /* A reference may end while the tree is locked: it is looked at and linked under its own lock. */
    flags = spin_lock_irqsave(&from->lock);
    parent = capability_held(from, name);
    if (!parent)
        result = -EBADF;
    else if (!(parent->rights & LVD_CAP_GRANT) || rights & ~parent->rights)
        result = -EPERM;
    if (!result) {
        child->parent = parent;
        child->next = parent->children;
        parent->children = child;
    }
    spin_unlock_irqrestore(&from->lock, flags);

    flags = spin_lock_irqsave(&to->lock);
    if (result) {
        to->granted--;
        to->made--;
        slot_free(child);
    } else {
        child->unseen = true;
        result = (s64)slot_fill(child, parent->type, rights, parent->object);
        capability_counts.granted++;
    }
    spin_unlock_irqrestore(&to->lock, flags);
    return result;
}

s64 capability_grant(struct cspace *from, u64 name, struct cspace *to, u32 rights) {
    bool softirqs = capability_tree_lock();
    s64 result = capability_grant_locked(from, name, to, rights);
    capability_tree_unlock(softirqs);
    return result;
}

/* -- the end of a space -------------------------------------------------------------------------------------------------- */

void cspace_close(struct cspace *space) {
    bool softirqs = capability_tree_lock(), unmapped = false;
    space->closed = true;
    for (u32 n = 1; n < CSPACE_SLOTS; n++)
        if (space->slots[n].name) {
            remove_derived(&space->slots[n], &unmapped);
            unmapped |= unmap(&space->slots[n]);
        }
    forget_if(unmapped);
    capability_tree_unlock(softirqs);
}

/* Nobody uses it any more. What glue has not ended stays, and is counted: it is more than nothing when somebody has forgotten it. */
void cspace_end(struct cspace *space) {
    cspace_close(space);
    for (u32 n = 1; n < CSPACE_SLOTS; n++)
        if (space->slots[n].type >= REFERENCE_MEMORY)
            capability_end(space, space->slots[n].name, NULL);
    __sync_fetch_and_add(&capability_counts.made, space->made);
    __sync_fetch_and_add(&capability_counts.held, space->held);
}
