/*
 * S19: the driver names a packet by a reference that has ended. Its slot is that of the next packet by then: a kernel that looks at the
 * slot alone takes the one for the other.
 */
#define NAMES_PACKETS
#include "attack.h"

static void give_back(struct sk_buff *skb) {
    static u64 old, packets;
    if (++packets == 8)
        old = *reference_of(skb);
    if (packets == 9) {
        *reference_of(skb) = old;
        (consume_skb)(skb);
        _printk("attack: a packet went under the name of another\n");
        return;
    }
    (consume_skb)(skb);
}
