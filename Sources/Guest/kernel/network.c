/*
 * The network core: what a device driver calls to bring a device into being, and what calls the driver. Devices are Linux structures
 * reached through the slots of lvd/abi.h, whichever kernel the driver was built for.
 */
#include "network.h"

static struct netdev *devices;
static spinlock_t rtnl;
struct random_state kernel_random;

struct netdev *netdev_of(const void *dev) {
    for (struct netdev *entry = devices; entry; entry = entry->next)
        if (entry->dev == dev)
            return entry;
    return NULL;
}

/* The registered device behind that one, or the first. */
struct netdev *netdev_next(struct netdev *after) {
    struct netdev *entry = after ? after->next : devices;
    while (entry && !entry->registered)
        entry = entry->next;
    return entry;
}

void rtnl_lock(void) { spin_lock(&rtnl); }
void rtnl_unlock(void) { spin_unlock(&rtnl); }

void *alloc_netdev_mqs(int private_bytes, const char *name, u8 assign_type, void (*setup)(void *), u32 txqs, u32 rxqs) {
    (void)assign_type, (void)rxqs;
    struct netdev *entry = kzalloc(sizeof *entry);
    void *dev = netdev_allocate((size_t)private_bytes);
    entry->dev = dev;
    entry->next = devices;
    devices = entry;
    strscpy(FIELD_ADDRESS(dev, net_device, name), name, 16);
    FIELD(dev, u32, net_device, num_tx_queues) = txqs;
    netdev_hold(entry);
    setup(dev);
    netdev_put(entry);
    return dev;
}

void free_netdev(void *dev) {
    for (struct netdev **link = &devices; *link; link = &(*link)->next)
        if ((*link)->dev == dev) {
            struct netdev *entry = *link;
            if (entry->users)
                panic("free_netdev of a device in use");
            *link = entry->next; /* first: whoever the release calls does not find it again */
            if (entry->release)
                entry->release(entry);
            kfree(entry);
            kfree(dev);
            return;
        }
    panic("free_netdev of what is no device");
}

void *netdev_operation(void *dev, const struct lvd_abi_slot *slot) {
    u8 *operations = FIELD(dev, u8 *, net_device, netdev_ops);
    return operations ? *(void **)(operations + slot->value) : NULL;
}

/* "dummy%d" becomes the first name that is free. */
static void choose_name(struct netdev *entry) {
    char *name = FIELD_ADDRESS(entry->dev, net_device, name), pattern[16], candidate[16];
    strscpy(pattern, name, sizeof pattern);
    for (u32 number = 0;; number++) {
        bool taken = false;
        size_t n = 0;
        for (const char *at = pattern; *at && n < sizeof candidate - 4; at++)
            if (at[0] == '%' && at[1] == 'd') {
                n += (size_t)snprintf(candidate + n, sizeof candidate - n, "%u", number);
                at++;
            } else {
                candidate[n++] = *at;
            }
        candidate[n] = 0;
        for (struct netdev *other = devices; other; other = other->next)
            taken |= other != entry && other->registered && !strcmp(FIELD_ADDRESS(other->dev, net_device, name), candidate);
        if (!taken || number == 1000) {
            strscpy(name, candidate, 16);
            return;
        }
    }
}

int register_netdevice(void *dev) {
    static int next_index = 2;
    struct netdev *entry = netdev_of(dev);
    int (*init)(void *);

    if (!entry || entry->registered)
        return -EINVAL;
    choose_name(entry);
    init = netdev_operation(dev, &lvd_abi_net_device_ops_ndo_init);
    if (init) {
        netdev_hold(entry);
        int error = init(dev);
        netdev_put(entry);
        if (error)
            return error < 0 ? error : -EIO;
    }
    FIELD(dev, int, net_device, ifindex) = next_index++;
    entry->registered = true;
    return 0;
}

void unregister_netdevice_queue(void *dev, void *head) {
    (void)head;
    struct netdev *entry = netdev_of(dev);
    void (*uninit)(void *);

    if (!entry || !entry->registered)
        return;
    entry->registered = false;
    uninit = netdev_operation(dev, &lvd_abi_net_device_ops_ndo_uninit);
    netdev_hold(entry);
    if (uninit)
        uninit(dev);
    netdev_put(entry);
    if (FIELD(dev, u8, net_device, needs_free_netdev))
        free_netdev(dev);
}

void netif_carrier_on(void *dev) { FIELD(dev, u64, net_device, state) &= ~4ULL; } /* __LINK_STATE_NOCARRIER is bit 2 */
void netif_carrier_off(void *dev) { FIELD(dev, u64, net_device, state) |= 4; }

int __rtnl_link_register(void *ops) {
    if (FIELD(ops, u64, rtnl_link_ops, setup) && !FIELD(ops, u64, rtnl_link_ops, dellink))
        FIELD(ops, void *, rtnl_link_ops, dellink) = unregister_netdevice_queue;
    return 0;
}

void __rtnl_link_unregister(void *ops) {
    for (struct netdev *entry = devices, *next; entry; entry = next) {
        next = entry->next;
        if (entry->registered && FIELD(entry->dev, void *, net_device, rtnl_link_ops) == ops)
            unregister_netdevice_queue(entry->dev, NULL);
    }
}

void rtnl_link_unregister(void *ops) {
    rtnl_lock();
    __rtnl_link_unregister(ops);
    rtnl_unlock();
}

void get_random_bytes(void *to, size_t length) {
    for (u8 *at = to; length; length--)
        *at++ = (u8)(random_next(&kernel_random) >> 32);
}

/* -- packets ----------------------------------------------------------------------------------------------------------- */

static struct payload_pool kernel_pool;

void pool_create(struct payload_pool *pool, u32 cache) {
    pool->base = pages_alloc(POOL_PAGES);
    pool->cache = cache;
}

/* Nobody sends from it any more. */
void pool_destroy(struct payload_pool *pool) {
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        struct percpu *area = (struct percpu *)percpu_areas[cpu];
        while (area->skb_cache[pool->cache]) {
            struct packet *packet = area->skb_cache[pool->cache];
            area->skb_cache[pool->cache] = packet->next;
            kfree(packet);
        }
    }
    pages_free(pool->base, POOL_PAGES);
}

void network_init(void) { pool_create(&kernel_pool, LVD_MAX_DOMAINS); }

struct payload_pool *kernel_payload_pool(void) { return &kernel_pool; }

/* For good: whoever has them recycles them. NULL when there is no more. */
u8 *pool_take(struct payload_pool *pool, u32 bytes) {
    spin_lock(&pool->lock);
    u8 *buffer = pool->used + bytes <= POOL_PAGES * LVD_PAGE_SIZE ? pool->base + pool->used : NULL;
    pool->used += buffer ? bytes : 0;
    spin_unlock(&pool->lock);
    return buffer;
}

/*
 * A packet for a device, with room for length bytes in the pool that its driver sees. The shared info that Linux keeps behind
 * the payload lies elsewhere, above it in memory, so that no domain can write it (S20). Packets are recycled per CPU with their buffer.
 */
void *alloc_skb(struct netdev *netdev, u32 length) {
    struct payload_pool *pool = netdev->pool ? netdev->pool : &kernel_pool;
    struct packet **cache = (struct packet **)&this_cpu()->skb_cache[pool->cache], *packet = *cache;

    if (length > POOL_BUFFER)
        return NULL;
    if (packet) {
        *cache = packet->next;
    } else {
        u8 *buffer = pool_take(pool, POOL_BUFFER);
        if (!buffer)
            return NULL;
        packet = kzalloc(sizeof *packet + SIZEOF(sk_buff) + SIZEOF(skb_shared_info));
        packet->buffer = buffer;
        packet->cache = pool->cache;
    }
    void *skb = packet + 1;
    FIELD(skb, u8 *, sk_buff, head) = packet->buffer;
    FIELD(skb, u8 *, sk_buff, data) = packet->buffer;
    FIELD(skb, u32, sk_buff, tail) = length;
    FIELD(skb, u32, sk_buff, end) = (u32)((u8 *)skb + SIZEOF(sk_buff) - packet->buffer);
    FIELD(skb, u32, sk_buff, len) = length;
    FIELD(skb, u32, sk_buff, data_len) = 0;
    return skb;
}

void consume_skb(void *skb) {
    struct packet *packet = (struct packet *)skb - 1, **cache = (struct packet **)&this_cpu()->skb_cache[packet->cache];
    packet->next = *cache;
    *cache = packet;
}
