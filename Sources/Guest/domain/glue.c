/*
 * Glue for the network path, domain side. The driver's devices, packets and link operations are shadows that live in here; the
 * kernel knows each under a reference number. What interfaces/network.idl says is generated; by hand are registration and a
 * device's set-up in the middle of its allocation.
 */
#include "../generated/network.h"
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

void rtnl_lock(void) { network_lock_rtnl(); }
void rtnl_unlock(void) { network_unlock_rtnl(); }

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

/* -- packets ------------------------------------------------------------------------------------------------------------- */

/* In front of each shadow sk_buff; recycled per CPU. */
struct packet {
    struct packet *next;
    u64 reference;
};
static struct packet *packet_cache[LVD_MAX_CPUS];

static void *packet_shadow(u64 reference) {
    preempt_off();
    struct packet **cache = &packet_cache[this_cpu_number()], *packet = *cache;
    if (packet)
        *cache = packet->next;
    preempt_on();
    if (!packet)
        packet = kzalloc(sizeof *packet + SIZEOF(sk_buff) + SIZEOF(skb_shared_info));
    if (!packet)
        return NULL;
    packet->reference = reference;
    return packet + 1;
}

static void packet_forget(const void *skb) {
    preempt_off();
    struct packet *packet = (struct packet *)skb - 1, **cache = &packet_cache[this_cpu_number()];
    packet->next = *cache;
    *cache = packet;
    preempt_on();
}

/* -- what generated glue needs of a domain (lvd/glue.h): there is one peer, the kernel ------------------------------------ */

int vmfunc_springboard_entry(struct lvd_message *message);

void *lvd_alloc(u64 bytes) { return kzalloc(bytes); }
void lvd_free(void *memory) { kfree(memory); }
u64 *lvd_registers(struct lvd_peer *peer) { return (void)peer, register_page(); }
int lvd_cross(struct lvd_peer *peer, struct lvd_message *message) {
    (void)peer;
    vmfunc_springboard_entry(message);
    return 0;
}
void lvd_refused(struct lvd_peer *peer, u32 rpc) {
    (void)peer, (void)rpc;
    give_up(5);
}
u64 lvd_reference(struct lvd_peer *peer, const void *object, u32 type) {
    (void)peer;
    u64 reference = type == LVD_TYPE_sk_buff ? ((struct packet *)object - 1)->reference : device_of((void *)object)->reference;
    return reference ? reference : ~0ULL; /* whatever the driver took for a packet: the kernel judges */
}
void *lvd_object(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes) {
    struct device *device = type == LVD_TYPE_net_device ? device_by_reference(reference) : NULL;
    (void)peer, (void)bytes;
    return device ? device->dev : NULL;
}
void *lvd_shadow(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes, u32 flags, bool once) {
    (void)peer, (void)bytes, (void)flags, (void)once;
    return type == LVD_TYPE_sk_buff ? packet_shadow(reference) : NULL;
}
enum lvd_ending lvd_release(struct lvd_peer *peer, const void *object, u32 type) {
    (void)peer, (void)type; /* only packets end that way */
    packet_forget(object);
    return LVD_ENDED;
}
bool lvd_region(struct lvd_peer *peer, u32 region, u8 **base, u64 *bytes) {
    (void)peer;
    *base = window(LVD_WINDOW_POOL);
    *bytes = LVD_WINDOW_POOL_END - LVD_WINDOW_POOL;
    return region == NETWORK_REGION_pool;
}

/* -- kernel to driver: what generated/network_domain.c calls --------------------------------------------------------------- */

static void *operation(void *dev, const struct lvd_abi_slot *slot) {
    const u8 *operations = FIELD(dev, const u8 *, net_device, netdev_ops);
    void *function = operations ? *(void **)(operations + slot->value) : NULL;
    if (!function)
        give_up(3);
    return function;
}
#define SIMPLE(result, name) \
    result name(void *dev) { return ((result (*)(void *))operation(dev, &lvd_abi_net_device_ops_##name))(dev); }
SIMPLE(int, ndo_init)
SIMPLE(void, ndo_uninit)
SIMPLE(int, ndo_open)
SIMPLE(int, ndo_stop)
SIMPLE(void, ndo_set_rx_mode)
SIMPLE(int, ndo_validate_addr)

int ndo_change_carrier(void *dev, bool on) {
    return ((int (*)(void *, bool))operation(dev, &lvd_abi_net_device_ops_ndo_change_carrier))(dev, on);
}
int ndo_set_mac_address(void *dev, u8 *address) {
    return ((int (*)(void *, void *))operation(dev, &lvd_abi_net_device_ops_ndo_set_mac_address))(dev, address);
}
void ndo_get_stats64(void *dev, void *stats) {
    ((void (*)(void *, void *))operation(dev, &lvd_abi_net_device_ops_ndo_get_stats64))(dev, stats);
}

/* The payload is the shared pool's; the shared info behind it is private memory, reached by the `end` offset like any other. */
int ndo_start_xmit(void *skb, void *dev) {
    int (*xmit)(void *, void *) = operation(dev, &lvd_abi_net_device_ops_ndo_start_xmit);
    u8 *payload = FIELD(skb, u8 *, sk_buff, data);
    int result;
    FIELD(skb, u8 *, sk_buff, head) = payload;
    FIELD(skb, u32, sk_buff, data_len) = 0;
    FIELD(skb, u32, sk_buff, tail) = FIELD(skb, u32, sk_buff, len);
    FIELD(skb, u32, sk_buff, end) = (u32)((u8 *)skb + SIZEOF(sk_buff) - payload);
    FIELD(skb, void *, sk_buff, dev) = dev;
    result = xmit(skb, dev);
    if (result)
        packet_forget(skb);
    return result;
}

void netdev_release(void *dev) {
    device_of(dev)->dev = NULL;
    kfree(dev);
}

static void setup(struct device *device, u64 reference, struct slots *out) {
    device->reference = reference;
    device->setup(device->dev);
    pack_netdev_scalars(out, device->dev);
    pack(out, operations_mask(device->dev));
}

/* By hand: the shadow has no reference yet, only a token that the kernel hands back. */
bool network_setup(struct slots *in, struct slots *out) {
    u64 reference = unpack(in), token = unpack(in) - (u64)devices;
    if (token >= sizeof devices || token % sizeof devices[0])
        return false;
    setup(&devices[token / sizeof devices[0]], reference, out);
    return true;
}
