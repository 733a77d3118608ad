/*
 * Two domains (-DATTACK=...). One grants the other memory, and at its twentieth packet takes it back, or dies. The other maps it, reads what
 * the first wrote there, and looks before it reads again, or does not.
 */
#define NAMES_PACKETS
#include "attack.h"
#include <lvd/capabilities.h>

enum { GRANT_REVOKES, GRANT_DIES, TAKE, TAKE_AFTER, TAKE_WRITES, TAKE_GRANTS };
enum { PAGES = 2, SECRET = 0x5ec4e7, LAST = 20 };

static void grant(u32 packets) {
    static s64 memory, other;
    static bool granted;
    if (!memory) {
        memory = lvd_cap_memory(PAGES);
        *(volatile u64 *)lvd_cap_map((u64)memory) = SECRET;
    }
    if (other <= 0)
        other = lvd_cap_connect("nullnet");
    if (other > 0 && !granted) /* refused until the other has connected, too */
        granted = !lvd_cap_grant((u64)memory, (u64)other, ATTACK == GRANT_DIES ? LVD_CAP_READ | LVD_CAP_WRITE : LVD_CAP_READ);
    if (packets == LAST && ATTACK == GRANT_DIES && own_device_number() <= 3)
        asm volatile("ud2");
    if (packets == LAST && ATTACK == GRANT_REVOKES)
        _printk("granter: %lld taken back\n", lvd_cap_revoke((u64)memory));
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
    if (at && (ATTACK == TAKE_AFTER || lvd_cap_rights((u64)memory) >= 0)) {
        (void)*at;
    } else if (at) {
        at = NULL;
        _printk("grantee: gone; mapping it again: %llx, revoking it: %lld\n", (u64)lvd_cap_map((u64)memory), lvd_cap_revoke((u64)memory));
    }
}

static void give_back(struct sk_buff *skb) {
    static u32 packets;
    packets++;
    if (ATTACK == GRANT_REVOKES || ATTACK == GRANT_DIES)
        grant(packets);
    else
        take();
    (consume_skb)(skb);
}
