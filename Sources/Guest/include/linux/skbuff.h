#ifndef _LINUX_SKBUFF_H
#define _LINUX_SKBUFF_H
#include <linux/types.h>

struct net_device;

/* Our own layout; code outside drivers reaches the fields through lvd/abi.h. */
struct sk_buff {
    struct sk_buff *next;
    struct net_device *dev;
    unsigned int len, data_len;
    __be16 protocol;
    u16 queue_mapping;
    unsigned int tail, end; /* offsets from head */
    unsigned char *head, *data;
};

/* At head + end. */
struct skb_shared_info {
    u8 flags;
    u8 meta_len;
    u8 nr_frags;
    u8 tx_flags;
};

void consume_skb(struct sk_buff *skb);
#endif
