/*
 * capability.flat: the kernel's capability spaces (kernel/capability.c as it is), one clause of docs/capabilities.md a test. What maps and
 * unmaps is played: the order of its steps is part of what is tested. Ends as marshalling.flat does.
 */
#include "../../kernel/capability.h"
#include <linux/errno.h>

void machine_init(void), finish(u32 status), print(const char *text), print_number(u64 value); /* ../vmfunc/machine.c */

void *memcpy(void *to, const void *from, size_t n) {
    const u8 *at = from;
    for (u8 *out = to; n--;)
        *out++ = *at++;
    return to;
}

static u32 passed, failed;
static void judge(const char *name, bool good) {
    print(good ? "PASS: " : "FAIL: ");
    print(name);
    print("\n");
    passed += good;
    failed += !good;
}

/* -- the environment ----------------------------------------------------------------------------------------------------- */

static char steps[64]; /* u unmapped, f forgotten, r released; L and U: the tree was locked and unlocked */
static u32 step_count;
static u64 released;
static void step(char what) {
    if (step_count < sizeof steps - 1)
        steps[step_count++] = what;
    steps[step_count] = 0;
}
static void begin_steps(void) { steps[step_count = 0] = 0; }
static bool stepped(const char *expected) {
    u32 n = 0;
    while (expected[n] && steps[n] == expected[n])
        n++;
    return !expected[n] && !steps[n];
}

void capability_unmap(struct capability *capability) {
    (void)capability;
    step('u');
}
void capability_forget_translations(void) { step('f'); }
void capability_release(enum reference_type type, void *object) {
    (void)type;
    released = (u64)object;
    step('r');
}
void spin_lock_answering(spinlock_t *lock) {
    spin_lock(lock);
    step('L');
}
bool softirq_hold(void) { return false; }
void softirq_resume(bool before) {
    (void)before;
    step('U');
}
void panic(const char *format, ...) {
    print("panic: ");
    print(format);
    print("\n");
    finish(1);
    for (;;)
        ;
}

/* -- the tests ----------------------------------------------------------------------------------------------------------- */

enum { ALL = LVD_CAP_READ | LVD_CAP_WRITE | LVD_CAP_GRANT };
static struct cspace kernel, a, b, c;
static u32 object[4]; /* only their addresses are used */

static void fresh(void) {
    struct cspace *spaces[] = { &kernel, &a, &b, &c };
    for (u32 n = 0; n < ARRAY_SIZE(spaces); n++) {
        *spaces[n] = (struct cspace){ .owner = &object[n] };
        cspace_begin(spaces[n], &object[n]);
    }
    begin_steps();
}
static u64 memory_in(struct cspace *space) { return capability_create(space, REFERENCE_MEMORY, ALL, &object[0]); }

static void names(void) {
    fresh();
    u64 name = capability_create(&a, REFERENCE_SKB, 0, &object[1]), other = capability_create(&b, REFERENCE_SKB, 0, &object[2]);
    judge("a name leads to its object", name && capability_get(&a, name, REFERENCE_SKB) == &object[1]);
    judge("the name of another domain leads nowhere", name != other && !capability_get(&a, other, REFERENCE_SKB)
          && capability_judge(&a, other, REFERENCE_SKB) == CAPABILITY_FOREIGN);
    judge("an object of another type is none", !capability_get(&a, name, REFERENCE_NETDEV)
          && capability_judge(&a, name, REFERENCE_NETDEV) == CAPABILITY_WRONG_TYPE);
    u64 forged[] = { 0, ~0ULL, name + 1, name | 0xfff, name + (1ULL << 12), name + (100ULL << 44), name & 0xfff };
    bool good = true;
    for (u32 n = 0; n < ARRAY_SIZE(forged); n++)
        good &= !capability_get(&a, forged[n], REFERENCE_SKB) && capability_judge(&a, forged[n], REFERENCE_SKB) == CAPABILITY_FORGED;
    judge("a number that was never given is none", good);

    judge("an end for another object is none", !capability_end(&a, name, &object[2]) && capability_get(&a, name, REFERENCE_SKB));
    judge("what has ended is gone, and ends once", capability_end(&a, name, &object[1]) && !capability_end(&a, name, NULL)
          && !capability_get(&a, name, REFERENCE_SKB) && capability_judge(&a, name, REFERENCE_SKB) == CAPABILITY_STALE);
    u64 again = capability_create(&a, REFERENCE_SKB, 0, &object[3]);
    judge("its slot is used again under another name", NAME_SLOT(again) == NAME_SLOT(name) && again != name
          && capability_get(&a, again, REFERENCE_SKB) == &object[3] && !capability_get(&a, name, REFERENCE_SKB)
          && capability_judge(&a, name, REFERENCE_SKB) == CAPABILITY_STALE);
    a.slots[NAME_SLOT(again)].generation = ~0u;
    capability_end(&a, again, NULL);
    judge("a slot without generations is not used again", NAME_SLOT(capability_create(&a, REFERENCE_SKB, 0, object)) != NAME_SLOT(name));
    judge("no reference of a packet takes the lock of the tree", stepped(""));

    fresh();
    u32 made = 0;
    while (capability_create(&a, REFERENCE_DISK, 0, object))
        made++;
    judge("a full space takes no more", made == CSPACE_SLOTS - 1 && a.held == made);
    u64 disk = capability_next(&a, REFERENCE_DISK, 0), next = capability_next(&a, REFERENCE_DISK, disk);
    capability_end(&a, disk, NULL);
    judge("and one again when one has ended", capability_create(&a, REFERENCE_NETDEV, 0, object) && !capability_create(&a, REFERENCE_SKB, 0, object));
    judge("those of a type are found in order", capability_next(&a, REFERENCE_DISK, 0) == next
          && capability_next(&a, REFERENCE_NETDEV, 0) && !capability_next(&a, REFERENCE_SKB, 0));
}

static void grants(void) {
    fresh();
    u64 root = memory_in(&a);
    s64 child = capability_grant(&a, root, &b, LVD_CAP_READ);
    judge("a grant is a capability for the same object in the other space", child > 0
          && capability_get(&b, (u64)child, REFERENCE_MEMORY) == &object[0] && !capability_get(&a, (u64)child, REFERENCE_MEMORY));
    judge("with the rights that were granted", capability_held(&b, (u64)child)->rights == LVD_CAP_READ);
    judge("what is not held cannot be granted", capability_grant(&b, root, &c, 0) == -EBADF && c.held == 0 && c.granted == 0);
    judge("nor without the right to", capability_grant(&b, (u64)child, &c, 0) == -EPERM && c.held == 0);
    s64 readable = capability_grant(&a, root, &b, LVD_CAP_READ | LVD_CAP_GRANT);
    judge("nor more than is held", capability_grant(&b, (u64)readable, &c, LVD_CAP_READ | LVD_CAP_WRITE) == -EPERM && c.held == 0);
    u32 taken = b.granted;
    while (capability_grant(&a, root, &b, 0) > 0)
        taken++;
    judge("others fill a part of a space only", taken == CSPACE_MOST_GRANTED && capability_create(&b, REFERENCE_SKB, 0, object));
    cspace_close(&c);
    judge("a dead domain is granted nothing", capability_grant(&a, root, &c, 0) == -ENOSPC && !capability_create(&c, REFERENCE_SKB, 0, object));
}

static void revokes(void) {
    fresh();
    u64 root = memory_in(&kernel), stranger = memory_in(&kernel);
    u64 first = (u64)capability_grant(&kernel, root, &a, ALL), second = (u64)capability_grant(&kernel, root, &b, ALL);
    u64 below = (u64)capability_grant(&a, first, &b, ALL), lowest = (u64)capability_grant(&b, below, &c, ALL);
    u64 apart = (u64)capability_grant(&kernel, stranger, &c, ALL);
    judge("a revoke ends all that was derived, in whatever space", capability_revoke(&a, first) == 2
          && !capability_get(&b, below, REFERENCE_MEMORY) && !capability_get(&c, lowest, REFERENCE_MEMORY));
    judge("and neither what it was derived from, nor beside", capability_get(&a, first, REFERENCE_MEMORY)
          && capability_get(&b, second, REFERENCE_MEMORY) && capability_get(&c, apart, REFERENCE_MEMORY)
          && capability_get(&kernel, root, REFERENCE_MEMORY));
    judge("a capability that has gone that way is stale", capability_judge(&c, lowest, REFERENCE_MEMORY) == CAPABILITY_STALE);
    judge("what is not held cannot be revoked", capability_revoke(&a, second) == -EBADF && capability_get(&b, second, REFERENCE_MEMORY));

    below = (u64)capability_grant(&a, first, &b, ALL);
    lowest = (u64)capability_grant(&b, below, &c, ALL);
    released = 0;
    judge("a delete in the middle takes what is below", capability_end(&b, below, NULL) && !capability_get(&c, lowest, REFERENCE_MEMORY)
          && capability_get(&a, first, REFERENCE_MEMORY) && !released);

    begin_steps();
    capability_revoke(&a, first);
    judge("nothing mapped: no translations to forget", stepped("LU"));
    lowest = (u64)capability_grant(&b, (u64)capability_grant(&a, first, &b, ALL), &c, ALL);
    capability_held(&c, lowest)->mapped = 0x1000;
    capability_held(&b, second)->mapped = 0x1000;
    begin_steps();
    capability_revoke(&a, first);
    judge("a revoke returns when no processor has a translation", stepped("LufU"));
    begin_steps();
    capability_end(&kernel, root, NULL);
    judge("an object goes with its root, behind the last translation", stepped("LufrU") && released == (u64)&object[0]
          && !capability_get(&a, first, REFERENCE_MEMORY) && !capability_get(&b, second, REFERENCE_MEMORY));
    u64 own = memory_in(&a), chain = own, holders = 0;
    for (u32 n = 0; n < 40; n++)
        chain = (u64)capability_grant(n % 2 ? &b : &a, chain, n % 2 ? &a : &b, ALL);
    holders = a.granted + b.granted;
    judge("a chain between two spaces ends as a whole", holders == 40 && capability_revoke(&a, own) == 40 && a.granted + b.granted == 0);
}

static void ends(void) {
    fresh();
    struct capability_counts before = capability_counts;
    u64 root = memory_in(&a), packet = capability_create(&a, REFERENCE_SKB, 0, &object[1]);
    u64 child = (u64)capability_grant(&a, root, &b, ALL), own = (u64)capability_grant(&a, root, &a, LVD_CAP_READ);
    u64 theirs = memory_in(&b), here = (u64)capability_grant(&b, theirs, &a, ALL);
    capability_held(&b, child)->mapped = capability_held(&a, here)->mapped = 0x1000;
    begin_steps();
    cspace_close(&a);
    judge("a dead domain leaves nothing derived, and nothing mapped", stepped("LuufU") && !capability_get(&b, child, REFERENCE_MEMORY)
          && !capability_get(&a, own, REFERENCE_MEMORY));
    judge("and others keep what is theirs", capability_get(&b, theirs, REFERENCE_MEMORY));
    judge("its objects wait until nobody is inside", capability_get(&a, root, REFERENCE_MEMORY) && capability_get(&a, packet, REFERENCE_SKB));
    capability_end(&a, packet, NULL);
    released = 0;
    cspace_end(&a);
    judge("at its end it holds nothing", a.held == 0 && a.granted == 0 && capability_counts.held == before.held
          && released == (u64)&object[0] && capability_get(&b, theirs, REFERENCE_MEMORY));
    judge("and all that it ever made was counted", capability_counts.made - before.made == 4);
    capability_create(&c, REFERENCE_SKB, 0, object);
    cspace_end(&c);
    judge("what somebody has forgotten is counted", capability_counts.held - before.held == 1);
    *(&a) = (struct cspace){ .owner = &object[1] };
    cspace_begin(&a, &object[1]);
    u64 reborn = memory_in(&a);
    judge("a domain that is there again has other names", reborn != root && !capability_get(&a, root, REFERENCE_MEMORY)
          && capability_judge(&a, root, REFERENCE_MEMORY) == CAPABILITY_FOREIGN);
}

void main64(void) {
    machine_init();
    names();
    grants();
    revokes();
    ends();
    print("SUMMARY: ");
    print_number(passed + failed);
    print(" tests, ");
    print_number(failed);
    print(" unexpected failures\n");
    finish(failed ? 1 : 0);
}
