/*
 * Glue for the network path, domain side. The driver's devices, packets and link operations are shadows that live in here; the
 * kernel knows each under a reference number. What both sides copy is in lib/message.h.
 */
#include "runtime.h"

enum { MOST_DEVICES = 16, MOST_LINK_OPS = 4 };

/* A shadow device. The kernel hands this record's address back at set-up, unread (a token). */
struct device {
    void *dev;
    u64 reference;
    void (*setup)(void *dev);
};
static struct device devices[MOST_DEVICES];
static struct { void *ops; u64 reference; } link_ops[MOST_LINK_OPS];

static struct device *device_by_reference(u64 reference) {
    for (u32 n = 0; n < MOST_DEVICES; n++)
        if (devices[n].dev && devices[n].reference == reference)
            return &devices[n];
    return NULL;
}

static struct device *device_of(void *dev) {
    for (u32 n = 0; n < MOST_DEVICES; n++)
        if (devices[n].dev == dev)
            return &devices[n];
    give_up(4);
}

static u64 link_reference(void *ops) {
    for (u32 n = 0; ops && n < MOST_LINK_OPS; n++)
        if (link_ops[n].ops == ops)
            return link_ops[n].reference;
    return 0;
}

/* -- driver to kernel ---------------------------------------------------------------------------------------------------- */

static void begin(struct request *request, enum lvd_kernel_rpc number) { request_begin(request, LVD_CLASS_RPC, number); }

static void call_with(enum lvd_kernel_rpc number, u64 first, u64 second) {
    struct request request;
    begin(&request, number);
    pack(&request.slots, first);
    pack(&request.slots, second);
    request_call(&request);
}

void rtnl_lock(void) { call_with(LVD_CALL_RTNL_LOCK, 0, 0); }
void rtnl_unlock(void) { call_with(LVD_CALL_RTNL_UNLOCK, 0, 0); }

int __rtnl_link_register(void *ops) {
    struct request request;
    int result;
    begin(&request, LVD_CALL_RTNL_LINK_REGISTER);
    pack(&request.slots, FIELD(ops, void *, rtnl_link_ops, setup) != NULL);
    request_call(&request);
    result = (int)unpack(&request.slots);
    for (u32 n = 0; !result && n < MOST_LINK_OPS; n++)
        if (!link_ops[n].ops) {
            link_ops[n].reference = unpack(&request.slots);
            link_ops[n].ops = ops;
            return 0;
        }
    return result ? result : -ENOMEM;
}

static void link_unregister(void *ops, bool take_lock) {
    call_with(LVD_CALL_RTNL_LINK_UNREGISTER, link_reference(ops), take_lock);
    for (u32 n = 0; n < MOST_LINK_OPS; n++)
        if (link_ops[n].ops == ops)
            link_ops[n].ops = NULL;
}
void __rtnl_link_unregister(void *ops) { link_unregister(ops, false); }
void rtnl_link_unregister(void *ops) { link_unregister(ops, true); }

void *alloc_netdev_mqs(int private_bytes, const char *name, u8 assign_type, void (*setup)(void *), u32 txqs, u32 rxqs) {
    struct device *device = NULL;
    struct request request;
    u64 text[2] = { 0, 0 };

    for (u32 n = 0; n < MOST_DEVICES && !device; n++)
        if (!devices[n].dev)
            device = &devices[n];
    if (!device)
        return NULL;
    device->dev = netdev_allocate((size_t)private_bytes);
    if (!device->dev)
        return NULL;
    device->setup = setup;
    strscpy((char *)text, name, sizeof text);
    memcpy(FIELD_ADDRESS(device->dev, net_device, name), text, sizeof text);
    FIELD(device->dev, u32, net_device, num_tx_queues) = txqs;

    begin(&request, LVD_CALL_ALLOC_NETDEV);
    pack(&request.slots, text[0]);
    pack(&request.slots, text[1]);
    pack(&request.slots, (u64)device);
    pack(&request.slots, assign_type);
    pack(&request.slots, txqs | (u64)rxqs << 32);
    request_call(&request); /* comes back as NETDEV_SETUP before it returns */
    if (!unpack(&request.slots)) {
        kfree(device->dev);
        device->dev = NULL;
    }
    return device->dev;
}

/* Which operations exist is all the kernel learns about them. */
static u64 operations_mask(void *dev) {
    const u8 *operations = FIELD(dev, const u8 *, net_device, netdev_ops);
    u64 mask = 0, bit = 1;
    if (!operations)
        return 0;
#define X(name)                                                             \
    if (FIELD(operations, void *, net_device_ops, name))                    \
        mask |= bit;                                                        \
    bit <<= 1;
    NETDEV_OPERATIONS(X)
#undef X
    return mask;
}

int register_netdevice(void *dev) {
    struct request request;
    u64 name[2];
    int result;
    begin(&request, LVD_CALL_REGISTER_NETDEVICE);
    pack(&request.slots, device_of(dev)->reference);
    pack(&request.slots, link_reference(FIELD(dev, void *, net_device, rtnl_link_ops)));
    pack_netdev_scalars(&request.slots, dev);
    pack(&request.slots, operations_mask(dev));
    request_call(&request);
    result = (int)unpack(&request.slots);
    name[0] = unpack(&request.slots);
    name[1] = unpack(&request.slots);
    memcpy(FIELD_ADDRESS(dev, net_device, name), name, sizeof name);
    FIELD(dev, int, net_device, ifindex) = (int)unpack(&request.slots);
    return result;
}

void unregister_netdevice_queue(void *dev, void *head) {
    (void)head;
    call_with(LVD_CALL_UNREGISTER_NETDEVICE, device_of(dev)->reference, 0);
}
void free_netdev(void *dev) { call_with(LVD_CALL_FREE_NETDEV, device_of(dev)->reference, 0); }

static void carrier(void *dev, bool on) {
    u64 *state = FIELD_ADDRESS(dev, net_device, state);
    *state = on ? *state & ~4ULL : *state | 4; /* __LINK_STATE_NOCARRIER is bit 2 */
    call_with(LVD_CALL_NETIF_CARRIER, device_of(dev)->reference, on);
}
void netif_carrier_on(void *dev) { carrier(dev, true); }
void netif_carrier_off(void *dev) { carrier(dev, false); }

/* -- packets ------------------------------------------------------------------------------------------------------------- */

/* In front of each shadow sk_buff; recycled per CPU. */
struct packet {
    struct packet *next;
    u64 reference;
};
static struct packet *packet_cache[LVD_MAX_CPUS];

/* The payload is the shared pool's; the shared info behind it is private memory, reached by the `end` offset like any other. */
static void *packet_shadow(u64 reference, u64 length, u64 offset, u64 protocol_and_queue) {
    struct packet **cache = &packet_cache[this_cpu_number()], *packet = *cache;
    u8 *payload = window(LVD_WINDOW_POOL) + offset;
    void *skb;

    if (packet)
        *cache = packet->next;
    else
        packet = kzalloc(sizeof *packet + SIZEOF(sk_buff) + SIZEOF(skb_shared_info));
    if (!packet)
        return NULL;
    packet->reference = reference;
    skb = packet + 1;
    FIELD(skb, u8 *, sk_buff, head) = payload;
    FIELD(skb, u8 *, sk_buff, data) = payload;
    FIELD(skb, u32, sk_buff, len) = (u32)length;
    FIELD(skb, u32, sk_buff, data_len) = 0;
    FIELD(skb, u32, sk_buff, tail) = (u32)length;
    FIELD(skb, u32, sk_buff, end) = (u32)((u8 *)skb + SIZEOF(sk_buff) - payload);
    FIELD(skb, u16, sk_buff, protocol) = (u16)protocol_and_queue;
    FIELD(skb, u16, sk_buff, queue_mapping) = (u16)(protocol_and_queue >> 16);
    return skb;
}

static void packet_forget(void *skb) {
    struct packet *packet = (struct packet *)skb - 1, **cache = &packet_cache[this_cpu_number()];
    packet->next = *cache;
    *cache = packet;
}

void consume_skb(void *skb) {
    struct request request;
    begin(&request, LVD_CALL_CONSUME_SKB);
    pack(&request.slots, ((struct packet *)skb - 1)->reference);
    packet_forget(skb);
    request_call(&request);
}

/* -- kernel to driver ---------------------------------------------------------------------------------------------------- */

static int start_xmit(struct device *device, int (*xmit)(void *skb, void *dev), struct slots *in) {
    u64 reference = unpack(in), length = unpack(in), offset = unpack(in), protocol_and_queue = unpack(in);
    void *skb = packet_shadow(reference, length, offset, protocol_and_queue);
    int result;
    if (!skb)
        return 16; /* NETDEV_TX_BUSY */
    FIELD(skb, void *, sk_buff, dev) = device->dev;
    result = xmit(skb, device->dev);
    if (result)
        packet_forget(skb);
    return result;
}

static void get_stats64(struct device *device, void (*get)(void *dev, void *stats), struct slots *out) {
    void *stats = kzalloc(SIZEOF(rtnl_link_stats64));
    if (!stats)
        return;
    get(device->dev, stats);
    pack(out, FIELD(stats, u64, rtnl_link_stats64, rx_packets));
    pack(out, FIELD(stats, u64, rtnl_link_stats64, rx_bytes));
    pack(out, FIELD(stats, u64, rtnl_link_stats64, tx_packets));
    pack(out, FIELD(stats, u64, rtnl_link_stats64, tx_bytes));
    kfree(stats);
}

static void setup(struct device *device, u64 reference, struct slots *out) {
    device->reference = reference;
    device->setup(device->dev);
    pack_netdev_scalars(out, device->dev);
    pack(out, operations_mask(device->dev));
}

bool network_call(u32 number, struct slots *in, struct slots *out) {
    static const struct lvd_abi_slot *const slots[LVD_DOMAIN_RPC_COUNT] = {
        [LVD_RPC_NDO_INIT] = &lvd_abi_net_device_ops_ndo_init,
        [LVD_RPC_NDO_UNINIT] = &lvd_abi_net_device_ops_ndo_uninit,
        [LVD_RPC_NDO_OPEN] = &lvd_abi_net_device_ops_ndo_open,
        [LVD_RPC_NDO_STOP] = &lvd_abi_net_device_ops_ndo_stop,
        [LVD_RPC_NDO_START_XMIT] = &lvd_abi_net_device_ops_ndo_start_xmit,
        [LVD_RPC_NDO_SET_RX_MODE] = &lvd_abi_net_device_ops_ndo_set_rx_mode,
        [LVD_RPC_NDO_SET_MAC_ADDRESS] = &lvd_abi_net_device_ops_ndo_set_mac_address,
        [LVD_RPC_NDO_VALIDATE_ADDR] = &lvd_abi_net_device_ops_ndo_validate_addr,
        [LVD_RPC_NDO_GET_STATS64] = &lvd_abi_net_device_ops_ndo_get_stats64,
        [LVD_RPC_NDO_CHANGE_CARRIER] = &lvd_abi_net_device_ops_ndo_change_carrier,
    };
    u64 reference = unpack(in);
    struct device *device;
    void *operation, *dev;

    if (number == LVD_RPC_NETDEV_SETUP) {
        u64 token = unpack(in) - (u64)devices;
        if (token >= sizeof devices || token % sizeof devices[0])
            return false;
        setup(&devices[token / sizeof devices[0]], reference, out);
        return true;
    }
    device = device_by_reference(reference);
    if (!device)
        return false;
    dev = device->dev;
    if (number == LVD_RPC_NETDEV_RELEASE) {
        kfree(dev);
        device->dev = NULL;
        return true;
    }
    if (number >= LVD_DOMAIN_RPC_COUNT || !slots[number] || !FIELD(dev, void *, net_device, netdev_ops))
        return false;
    operation = *(void **)(FIELD(dev, u8 *, net_device, netdev_ops) + slots[number]->value);
    if (!operation)
        return false;

    switch (number) {
    case LVD_RPC_NDO_START_XMIT:
        pack(out, (u64)(s64)start_xmit(device, operation, in));
        break;
    case LVD_RPC_NDO_GET_STATS64:
        get_stats64(device, operation, out);
        break;
    case LVD_RPC_NDO_SET_MAC_ADDRESS: {
        u64 address[2] = { unpack(in), 0 };
        pack(out, (u64)(s64)((int (*)(void *, void *))operation)(dev, address));
        break;
    }
    case LVD_RPC_NDO_CHANGE_CARRIER: {
        bool on = unpack(in) != 0;
        pack(out, (u64)(s64)((int (*)(void *, bool))operation)(dev, on));
        break;
    }
    default: /* one argument; where the kernel expects no result it does not look */
        pack(out, (u64)(s64)((int (*)(void *))operation)(dev));
    }
    return true;
}
