/* Names that the kernel never gave, one per build (-DATTACK=...), for the eighth packet. */
#define NAMES_PACKETS
#include "attack.h"
#include <lvd/capabilities.h>

enum { CAP_FORGED_SLOT, CAP_FORGED_GENERATION, CAP_GUESSED, CAP_FOREIGN, CAP_TYPE, CAP_TWICE, CAP_NO_MEMORY, CAP_NO_DOMAIN };

#define FIELD_OF(shift, value) ((u64)(value) << (shift))

static void give_back(struct sk_buff *skb) {
    static u64 packets;
    u64 *name = reference_of(skb), mine = *name;
    if (++packets == 8)
        switch (ATTACK) {
        case CAP_FORGED_SLOT: /* behind the end of the space */
            *name = mine | 0xfff;
            break;
        case CAP_FORGED_GENERATION: /* the next packet's, before there is one */
            *name = mine + FIELD_OF(12, 1);
            break;
        case CAP_GUESSED: /* a small number */
            *name = 3;
            break;
        case CAP_FOREIGN: /* the other domain's packet */
            *name = mine + FIELD_OF(44, 1);
            break;
        case CAP_TYPE: /* the device, which it holds, too */
            *name = (mine & ~0xfffffffffffULL) | FIELD_OF(12, 1) | 3;
            break;
        case CAP_TWICE:
            (consume_skb)(skb);
            *name = mine;
            break;
        case CAP_NO_MEMORY: /* a packet is nothing that can be granted or mapped */
            lvd_cap_map(mine);
            break;
        case CAP_NO_DOMAIN: /* and memory is nobody that something can be granted to */
            lvd_cap_grant((u64)lvd_cap_memory(1), (u64)lvd_cap_memory(1), LVD_CAP_READ);
            break;
        }
    (consume_skb)(skb);
    if (packets == 8)
        _printk("attack: still here\n");
}
