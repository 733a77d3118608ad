/*
 * Two domains (-DATTACK=...). One grants the other memory, and at its twentieth packet takes it back, or dies. The other maps it and reads what
 * the first wrote there; then it asks whether it still has it, or reads without asking.
 */
#define NAMES_PACKETS
#include "attack.h"
#include <lvd/capabilities.h>

enum { GRANT_REVOKES, GRANT_DIES, TAKE, TAKE_AFTER, TAKE_WRITES, TAKE_GRANTS, GRANT_STORM };
enum { PAGES = 2, SECRET = 0x5ec4e7, LAST = 20 };

static void grant(u32 packets) {
    static s64 memory, other;
    static bool granted, ended;
    if (!memory) {
        memory = lvd_cap_memory(PAGES);
        *(volatile u64 *)lvd_cap_map((u64)memory) = SECRET;
    }
    if (other <= 0)
        other = lvd_cap_connect("nullnet");
    if (other > 0 && !granted) /* refused until the other has connected, too */
        granted = !lvd_cap_grant((u64)memory, (u64)other, ATTACK == GRANT_DIES ? LVD_CAP_READ | LVD_CAP_WRITE : LVD_CAP_READ);
    if (packets < LAST || ended)
        return;
    ended = true;
    if (ATTACK == GRANT_REVOKES)
        _printk("granter: %lld taken back\n", lvd_cap_revoke((u64)memory));
    else if (own_device_number() <= 3)
        asm volatile("ud2");
}

static void take(void) {
    static s64 memory, granter;
    static volatile u64 *at;
    if (granter <= 0)
        granter = lvd_cap_connect("nullnet");
    if (!memory) {
        memory = lvd_cap_receive();
        at = memory ? lvd_cap_map((u64)memory) : NULL;
        if (at)
            _printk("grantee: rights %lld, read %llx\n", lvd_cap_rights((u64)memory), *at);
        if (at && ATTACK == TAKE_WRITES)
            *at = 0;
        if (at && ATTACK == TAKE_GRANTS)
            _printk("grantee: granting it on: %lld\n", lvd_cap_grant((u64)memory, (u64)granter, LVD_CAP_READ));
    }
    if (at && ATTACK == TAKE_AFTER) {
        (void)*at;
    } else if (at && lvd_cap_rights((u64)memory) < 0) {
        at = NULL;
        _printk("grantee: gone; mapping it again: %llx, revoking it: %lld\n", (u64)lvd_cap_map((u64)memory), lvd_cap_revoke((u64)memory));
    }
}

/* Both domains do this, on all processors: whatever the other has just granted and takes back. */
static void storm(void) {
    static s64 other;
    s64 memory = lvd_cap_memory(PAGES), mine = lvd_cap_receive();
    if (other <= 0)
        other = lvd_cap_connect("nullnet");
    if (lvd_cap_map((u64)memory))
        lvd_cap_grant((u64)memory, (u64)other, LVD_CAP_READ | LVD_CAP_WRITE | LVD_CAP_GRANT);
    if (mine > 0) {
        lvd_cap_map((u64)mine);
        lvd_cap_grant((u64)mine, (u64)other, LVD_CAP_READ); /* back below its own, if it is still there */
        if (lvd_cap_revoke((u64)mine) >= 0)
            lvd_cap_map((u64)mine);
    }
    lvd_cap_revoke((u64)memory);
    lvd_cap_delete((u64)memory);
    if (mine > 0)
        lvd_cap_delete((u64)mine);
}

static void give_back(struct sk_buff *skb) {
    static volatile u32 packets, busy; /* one processor at a time plays the part; another one that comes meanwhile only sends */
    u32 number = __sync_add_and_fetch(&packets, 1);
    if (ATTACK == GRANT_STORM) {
        storm();
    } else if (!__sync_lock_test_and_set(&busy, 1)) {
        if (ATTACK == GRANT_REVOKES || ATTACK == GRANT_DIES)
            grant(number);
        else
            take();
        __sync_lock_release(&busy);
    }
    (consume_skb)(skb);
}
