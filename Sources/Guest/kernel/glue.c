/*
 * Glue for the network path, kernel side. An isolated driver's device exists twice: here, with operations that call into the domain, and
 * as a shadow inside. What crosses for an object is a reference number, and no address that came from a domain is ever used here
 * (G1 to G4). What interfaces/network.idl says is generated; by hand are registration and a device's set-up in the middle of
 * its allocation, with fields copied by projection (lib/message.h).
 */
#include "../generated/network.h"
#include "../lib/message.h"
#include "block.h"
#include "domain.h"
#include "network.h"

/* -- kernel to domain: the operations of an isolated device -------------------------------------------------------------- */

struct call {
    struct lvd_message message;
    struct slots slots;
    struct domain *domain;
};

static void call_begin(struct call *call, struct netdev *netdev, enum lvd_domain_rpc number) {
    call->domain = netdev->domain;
    call->message.words[0] = rpc_word(LVD_CLASS_RPC, number);
    call->message.words[1] = 0;
    call->slots = slots_begin(&call->message, call->domain->register_page[cpu_number()]);
    pack(&call->slots, netdev->reference);
}

/* 0 with the reply ready to unpack. */
static int call_domain(struct call *call) {
    int error = vmfunc_klcd_wrapper(call->domain, &call->message);
    call->slots = slots_open(&call->message, call->domain->register_page[cpu_number()]);
    return error;
}

/* The operations themselves: stubs of generated/network_kernel.c. */
static struct lvd_peer *driver_of(void *dev) { return (struct lvd_peer *)isolated(dev)->domain; }

static int isolated_ndo_init(void *dev) { return ndo_init_call(driver_of(dev), dev); }
static void isolated_ndo_uninit(void *dev) { ndo_uninit_call(driver_of(dev), dev); }
static int isolated_ndo_open(void *dev) { return ndo_open_call(driver_of(dev), dev); }
static int isolated_ndo_stop(void *dev) { return ndo_stop_call(driver_of(dev), dev); }
static void isolated_ndo_set_rx_mode(void *dev) { ndo_set_rx_mode_call(driver_of(dev), dev); }
static int isolated_ndo_validate_addr(void *dev) { return ndo_validate_addr_call(driver_of(dev), dev); }
static int isolated_ndo_change_carrier(void *dev, bool on) { return ndo_change_carrier_call(driver_of(dev), dev, on); }
static int isolated_ndo_set_mac_address(void *dev, void *address) {
    return ndo_set_mac_address_call(driver_of(dev), dev, address);
}
static void isolated_ndo_get_stats64(void *dev, void *stats) { ndo_get_stats64_call(driver_of(dev), dev, stats); }

/* Takes the packet over in every case but an answer above 0, as a driver does. */
static int isolated_ndo_start_xmit(void *skb, void *dev) {
    struct domain *domain = isolated(dev)->domain;
    u64 reference = lvd_reference((struct lvd_peer *)domain, skb, LVD_TYPE_sk_buff);
    int error;

    if (!reference)
        return 16; /* NETDEV_TX_BUSY */
    error = ndo_start_xmit_call((struct lvd_peer *)domain, skb, dev);
    if (error && reference_end(domain, reference, skb) && error < 0) /* not taken over */
        consume_skb(skb);
    return error;
}

/* Which operations the driver has is all it says about them. */
static void set_operations(void *dev, u64 mask) {
    void *operations = FIELD(dev, void *, net_device, netdev_ops);
    if (!operations)
        operations = kzalloc(SIZEOF(net_device_ops));
#define X(name)                                                                                             \
    FIELD(operations, void *, net_device_ops, name) = mask & 1 ? (void *)isolated_##name : NULL;            \
    mask >>= 1;
    NETDEV_OPERATIONS(X)
#undef X
    FIELD(dev, void *, net_device, netdev_ops) = operations;
}

/* The kernel is done with the device, and with the domain's reference to it; the shadow goes, too. */
static void isolated_release(struct netdev *netdev) {
    kfree(FIELD(netdev->dev, void *, net_device, netdev_ops));
    if (!netdev->domain->dead)
        netdev_release_call((struct lvd_peer *)netdev->domain, netdev->dev);
    reference_drop(netdev->domain, netdev->reference);
}

/* alloc_netdev_mqs calls this on the new device; the driver's setup function runs on the shadow. */
static struct { struct domain *domain; u64 token, reference; } allocating; /* under the rtnl lock */
static void isolated_setup(void *dev) {
    struct netdev *netdev = netdev_of(dev);
    struct call call;

    *(struct netdev **)((u8 *)dev + ALIGN_UP((size_t)SIZEOF(net_device), 32)) = netdev;
    netdev->domain = allocating.domain;
    netdev->pool = &allocating.domain->pool;
    netdev->setup_token = allocating.token;
    netdev->reference = reference_new(netdev->domain, REFERENCE_NETDEV, dev);
    netdev->release = isolated_release;
    allocating.reference = netdev->reference;
    call_begin(&call, netdev, LVD_RPC_NETDEV_SETUP);
    pack(&call.slots, netdev->setup_token);
    if (call_domain(&call))
        return;
    unpack_netdev_scalars(&call.slots, dev);
    set_operations(dev, unpack(&call.slots));
}

/* The domain is gone: its devices and link types go without asking it. */
void netdev_forget_domain(struct domain *domain) {
    for (u64 n = 0; (n = reference_next(domain, REFERENCE_NETDEV, n));) {
        void *dev = reference_get(domain, n, REFERENCE_NETDEV);
        if (netdev_of(dev)) {
            FIELD(dev, u8, net_device, needs_free_netdev) = 0;
            unregister_netdevice_queue(dev, NULL);
            free_netdev(dev);
        }
    }
    for (u64 n = 0; (n = reference_next(domain, REFERENCE_SKB, n));) { /* it took a packet over and never gave it back */
        void *skb = reference_get(domain, n, REFERENCE_SKB);
        reference_drop(domain, n);
        consume_skb(skb);
    }
    for (u64 n = 0; (n = reference_next(domain, REFERENCE_LINK_OPS, n));) {
        void *ops = reference_get(domain, n, REFERENCE_LINK_OPS);
        reference_drop(domain, n);
        kfree(ops);
    }
}

/* -- domain to kernel: what the driver imports --------------------------------------------------------------------------- */

/* Each returns false for a request that no honest driver makes. */
typedef bool handler(struct domain *domain, struct slots *in, struct slots *out);

static bool call_rtnl_link_register(struct domain *domain, struct slots *in, struct slots *out) {
    u64 has_setup = unpack(in);
    void *ops = kzalloc(SIZEOF(rtnl_link_ops));
    u64 reference = reference_new(domain, REFERENCE_LINK_OPS, ops);
    if (!reference) {
        kfree(ops);
        pack(out, (u64)-ENOMEM);
        return true;
    }
    FIELD(ops, void *, rtnl_link_ops, setup) = has_setup ? isolated_setup : NULL;
    pack(out, (u64)__rtnl_link_register(ops));
    pack(out, reference);
    return true;
}

static bool call_rtnl_link_unregister(struct domain *domain, struct slots *in, struct slots *out) {
    u64 reference = unpack(in), take_lock = unpack(in);
    void *ops = reference_get(domain, reference, REFERENCE_LINK_OPS);
    (void)out;
    if (!ops || (take_lock != 0) == (domain->holds_rtnl != 0))
        return false;
    if (take_lock)
        rtnl_link_unregister(ops);
    else
        __rtnl_link_unregister(ops);
    if (domain->dead)
        return false;
    reference_drop(domain, reference);
    kfree(ops);
    return true;
}

static bool call_alloc_netdev(struct domain *domain, struct slots *in, struct slots *out) {
    u64 name[2], token, assign_type, queues;
    name[0] = unpack(in);
    name[1] = unpack(in);
    token = unpack(in);
    assign_type = unpack(in);
    queues = unpack(in);
    ((char *)name)[15] = 0;
    if (in->broken)
        return false;
    allocating.domain = domain;
    allocating.token = token;
    allocating.reference = 0;
    void *dev = alloc_netdev_mqs(sizeof(struct netdev *), (char *)name, (u8)assign_type, isolated_setup, (u32)queues, queues >> 32);
    pack(out, dev && !domain->dead ? allocating.reference : 0);
    return true;
}

static bool call_free_netdev(struct domain *domain, struct slots *in, struct slots *out) {
    void *dev = reference_get(domain, unpack(in), REFERENCE_NETDEV);
    struct netdev *netdev = dev ? netdev_of(dev) : NULL; /* none: it is being released right now */
    (void)out;
    if (!netdev || netdev->registered || netdev->users)
        return false;
    free_netdev(dev);
    return true;
}

static bool call_register_netdevice(struct domain *domain, struct slots *in, struct slots *out) {
    void *dev = reference_get(domain, unpack(in), REFERENCE_NETDEV);
    u64 link = unpack(in), *name;
    void *ops = dev && link ? reference_get(domain, link, REFERENCE_LINK_OPS) : NULL;
    if (!dev || (link && !ops))
        return false;
    FIELD(dev, void *, net_device, rtnl_link_ops) = ops;
    unpack_netdev_scalars(in, dev);
    set_operations(dev, unpack(in));
    if (in->broken)
        return false;
    pack(out, (u64)register_netdevice(dev));
    name = FIELD_ADDRESS(dev, net_device, name);
    pack(out, name[0]);
    pack(out, name[1]);
    pack(out, (u64)FIELD(dev, int, net_device, ifindex));
    return true;
}

static bool call_unregister_netdevice(struct domain *domain, struct slots *in, struct slots *out) {
    void *dev = reference_get(domain, unpack(in), REFERENCE_NETDEV);
    struct netdev *netdev = dev ? netdev_of(dev) : NULL;
    (void)out;
    if (!netdev || netdev->users) /* in a callback of its own, Linux would wait for ever */
        return false;
    unregister_netdevice_queue(dev, NULL);
    return true;
}

static handler *const handlers[LVD_KERNEL_FIRST_BLOCK_RPC] = {
    [LVD_CALL_RTNL_LINK_REGISTER] = call_rtnl_link_register,
    [LVD_CALL_RTNL_LINK_UNREGISTER] = call_rtnl_link_unregister,
    [LVD_CALL_ALLOC_NETDEV] = call_alloc_netdev,
    [LVD_CALL_FREE_NETDEV] = call_free_netdev,
    [LVD_CALL_REGISTER_NETDEVICE] = call_register_netdevice,
    [LVD_CALL_UNREGISTER_NETDEVICE] = call_unregister_netdevice,
};

/* One request from a domain: the reply replaces the message. */
bool glue_call(struct domain *domain, struct lvd_message *message, u64 *registers) {
    u32 number = (u32)message->words[0];
    struct lvd_message reply = { { message->words[0] } };

    if (number > NETWORK_IN_KERNEL_BEFORE)
        return network_kernel_dispatch((struct lvd_peer *)domain, message);
    struct slots in = slots_open(message, registers), out;

    if (number >= LVD_KERNEL_RPC_COUNT)
        return false;
    out = slots_begin(&reply, registers);
    if (!(number < LVD_KERNEL_FIRST_BLOCK_RPC ? handlers[number](domain, &in, &out) : block_call(number, domain, &in, &out)) || in.broken)
        return false;
    *message = reply;
    return true;
}
