#ifndef KERNEL_NETWORK_H
#define KERNEL_NETWORK_H
#include "kernel.h"
#include "../lib/ethernet.h"

enum { POOL_PAGES = 64, POOL_BUFFER = 2048 };

/* Payload of packets: one for the kernel, and one for each domain, which sees no other. */
struct payload_pool {
    u8 *base;
    u32 used;      /* bytes handed out so far; packets keep theirs */
    u32 cache;     /* index into skb_cache */
    spinlock_t lock;
};

/* The kernel's own record of a device, beside the Linux structure. */
struct netdev {
    struct netdev *next;
    void *dev;
    bool registered;
    u32 users; /* kernel code that will go on using it: while there is any, it is not freed */
    /* Of an isolated driver's device: whose it is, and the arguments hidden from everyone else (G4). */
    struct domain *domain;
    struct payload_pool *pool;
    u64 reference, setup_token;
    void (*release)(struct netdev *netdev);
};

/* In front of each sk_buff. */
struct packet {
    struct packet *next;
    u8 *buffer;
    u32 cache;
    u64 reference; /* under which the driver's domain knew it last */
};

static inline void netdev_hold(struct netdev *netdev) { __sync_fetch_and_add(&netdev->users, 1); }
static inline void netdev_put(struct netdev *netdev) { __sync_fetch_and_sub(&netdev->users, 1); }

/* Of an isolated driver's device: its record, from the private area, so that a packet need not search. */
static inline struct netdev *isolated(const void *dev) {
    return *(struct netdev **)((u8 *)dev + ALIGN_UP((size_t)SIZEOF(net_device), 32));
}

struct netdev *netdev_of(const void *dev);
struct netdev *netdev_next(struct netdev *after);
void *netdev_operation(void *dev, const struct lvd_abi_slot *slot);
void pool_create(struct payload_pool *pool, u32 cache);
void pool_destroy(struct payload_pool *pool);
u8 *pool_take(struct payload_pool *pool, u32 bytes);
struct payload_pool *kernel_payload_pool(void);
void *alloc_skb(struct netdev *netdev, u32 length);
void consume_skb(void *skb);
void netdev_forget_domain(struct domain *domain);

void rtnl_lock(void);
void rtnl_unlock(void);
void *alloc_netdev_mqs(int private_bytes, const char *name, u8 assign_type, void (*setup)(void *), u32 txqs, u32 rxqs);
void free_netdev(void *dev);
int register_netdevice(void *dev);
void unregister_netdevice_queue(void *dev, void *head);
void netif_carrier_on(void *dev);
void netif_carrier_off(void *dev);
int __rtnl_link_register(void *ops);
void __rtnl_link_unregister(void *ops);
void rtnl_link_unregister(void *ops);
void get_random_bytes(void *to, size_t length);
#endif
