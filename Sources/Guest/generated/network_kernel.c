/*
 * Interface "network" of interfaces/network.idl, the side of the kernel.
 * Made by `lvdsim idl generate`; change the interface, not this.
 */
#include "network.h"

struct lvd_peer *network_peer;

/* interfaces/network.idl:10: rpc_export ndo_init */
static void ndo_init_put(struct lvd_call *call, struct ndo_init_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_init_take(struct lvd_call *call, struct ndo_init_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_init_call(struct lvd_peer *peer, void *dev) {
    struct ndo_init_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_init);
    ndo_init_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_init_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_init(void *dev) { return ndo_init_call(network_peer, dev); }

/* interfaces/network.idl:11: rpc_export ndo_uninit */
static void ndo_uninit_put(struct lvd_call *call, struct ndo_uninit_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_uninit_take(struct lvd_call *call, struct ndo_uninit_context *ctx) {
    (void)call, (void)ctx;
}

void ndo_uninit_call(struct lvd_peer *peer, void *dev) {
    struct ndo_uninit_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_uninit);
    ndo_uninit_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_uninit_take(call, ctx);
    }
    lvd_end(call, answered);
}

void ndo_uninit(void *dev) { ndo_uninit_call(network_peer, dev); }

/* interfaces/network.idl:12: rpc_export ndo_open */
static void ndo_open_put(struct lvd_call *call, struct ndo_open_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_open_take(struct lvd_call *call, struct ndo_open_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_open_call(struct lvd_peer *peer, void *dev) {
    struct ndo_open_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_open);
    ndo_open_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_open_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_open(void *dev) { return ndo_open_call(network_peer, dev); }

/* interfaces/network.idl:13: rpc_export ndo_stop */
static void ndo_stop_put(struct lvd_call *call, struct ndo_stop_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_stop_take(struct lvd_call *call, struct ndo_stop_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_stop_call(struct lvd_peer *peer, void *dev) {
    struct ndo_stop_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_stop);
    ndo_stop_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_stop_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_stop(void *dev) { return ndo_stop_call(network_peer, dev); }

/* interfaces/network.idl:14: rpc_export ndo_set_rx_mode */
static void ndo_set_rx_mode_put(struct lvd_call *call, struct ndo_set_rx_mode_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_set_rx_mode_take(struct lvd_call *call, struct ndo_set_rx_mode_context *ctx) {
    (void)call, (void)ctx;
}

void ndo_set_rx_mode_call(struct lvd_peer *peer, void *dev) {
    struct ndo_set_rx_mode_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_set_rx_mode);
    ndo_set_rx_mode_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_set_rx_mode_take(call, ctx);
    }
    lvd_end(call, answered);
}

void ndo_set_rx_mode(void *dev) { ndo_set_rx_mode_call(network_peer, dev); }

/* interfaces/network.idl:15: rpc_export ndo_validate_addr */
static void ndo_validate_addr_put(struct lvd_call *call, struct ndo_validate_addr_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_validate_addr_take(struct lvd_call *call, struct ndo_validate_addr_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_validate_addr_call(struct lvd_peer *peer, void *dev) {
    struct ndo_validate_addr_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_validate_addr);
    ndo_validate_addr_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_validate_addr_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_validate_addr(void *dev) { return ndo_validate_addr_call(network_peer, dev); }

/* interfaces/network.idl:16: rpc_export ndo_change_carrier */
static void ndo_change_carrier_put(struct lvd_call *call, struct ndo_change_carrier_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->on);
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_change_carrier_take(struct lvd_call *call, struct ndo_change_carrier_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_change_carrier_call(struct lvd_peer *peer, void *dev, bool on) {
    struct ndo_change_carrier_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    ctx->on = (bool)on;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_change_carrier);
    ndo_change_carrier_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_change_carrier_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_change_carrier(void *dev, bool on) { return ndo_change_carrier_call(network_peer, dev, on); }

/* interfaces/network.idl:17: rpc_export ndo_set_mac_address */
static void ndo_set_mac_address_put(struct lvd_call *call, struct ndo_set_mac_address_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
    if (ctx->socket_address) {
        lvd_put(call, 1);
        lvd_put_bytes(call, ctx->socket_address, 8 * sizeof(u8));
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_set_mac_address_take(struct lvd_call *call, struct ndo_set_mac_address_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_set_mac_address_call(struct lvd_peer *peer, void *dev, u8 *socket_address) {
    struct ndo_set_mac_address_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    ctx->socket_address = (u8 *)socket_address;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_set_mac_address);
    ndo_set_mac_address_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_set_mac_address_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_set_mac_address(void *dev, u8 *socket_address) { return ndo_set_mac_address_call(network_peer, dev,
    socket_address); }

/* interfaces/network.idl:18: rpc_export ndo_start_xmit */
/* interfaces/network.idl:19: projection packet */
static void ndo_start_xmit_put_packet_in(struct lvd_call *call, struct ndo_start_xmit_context *ctx, void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)FIELD(ptr, u32, sk_buff, len));
    lvd_put(call, (u64)FIELD(ptr, u16, sk_buff, protocol));
    lvd_put(call, (u64)FIELD(ptr, u16, sk_buff, queue_mapping));
    lvd_put_shared(call, FIELD(ptr, u8 *, sk_buff, data), NETWORK_REGION_pool, (u64)(FIELD(ptr, u32, sk_buff,
        len)) * sizeof(u8));
}

static void ndo_start_xmit_put(struct lvd_call *call, struct ndo_start_xmit_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->skb) {
        lvd_put_object(call, ctx->skb, LVD_TYPE_sk_buff);
        ndo_start_xmit_put_packet_in(call, ctx, ctx->skb);
    } else {
        lvd_put(call, 0);
    }
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_start_xmit_take(struct lvd_call *call, struct ndo_start_xmit_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ndo_start_xmit_call(struct lvd_peer *peer, void *skb, void *dev) {
    struct ndo_start_xmit_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->skb = (void *)skb;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_start_xmit);
    ndo_start_xmit_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_start_xmit_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int ndo_start_xmit(void *skb, void *dev) { return ndo_start_xmit_call(network_peer, skb, dev); }

/* interfaces/network.idl:26: rpc_export ndo_get_stats64 */
/* interfaces/network.idl:28: projection stats */
static void ndo_get_stats64_take_stats_out(struct lvd_call *call, struct ndo_get_stats64_context *ctx, void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    FIELD(ptr, u64, rtnl_link_stats64, rx_packets) = (u64)lvd_take(call);
    FIELD(ptr, u64, rtnl_link_stats64, rx_bytes) = (u64)lvd_take(call);
    FIELD(ptr, u64, rtnl_link_stats64, tx_packets) = (u64)lvd_take(call);
    FIELD(ptr, u64, rtnl_link_stats64, tx_bytes) = (u64)lvd_take(call);
}

static void ndo_get_stats64_put(struct lvd_call *call, struct ndo_get_stats64_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
    if (ctx->stats) {
        lvd_put(call, 1);
    } else {
        lvd_put(call, 0);
    }
}

static void ndo_get_stats64_take(struct lvd_call *call, struct ndo_get_stats64_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->stats) {
        ndo_get_stats64_take_stats_out(call, ctx, ctx->stats);
    }
}

void ndo_get_stats64_call(struct lvd_peer *peer, void *dev, void *stats) {
    struct ndo_get_stats64_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    ctx->stats = (void *)stats;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_ndo_get_stats64);
    ndo_get_stats64_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ndo_get_stats64_take(call, ctx);
    }
    lvd_end(call, answered);
}

void ndo_get_stats64(void *dev, void *stats) { ndo_get_stats64_call(network_peer, dev, stats); }

/* interfaces/network.idl:35: rpc_export netdev_release */
static void netdev_release_put(struct lvd_call *call, struct netdev_release_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void netdev_release_take(struct lvd_call *call, struct netdev_release_context *ctx) {
    (void)call, (void)ctx;
}

void netdev_release_call(struct lvd_peer *peer, void *dev) {
    struct netdev_release_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, peer, NETWORK_IN_DOMAIN_netdev_release);
    netdev_release_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        netdev_release_take(call, ctx);
    }
    lvd_end(call, answered);
}

void netdev_release(void *dev) { netdev_release_call(network_peer, dev); }

/* interfaces/network.idl:38: rpc consume_skb */
static void consume_skb_put(struct lvd_call *call, struct consume_skb_context *ctx) {
    (void)call, (void)ctx;
}

static void consume_skb_take(struct lvd_call *call, struct consume_skb_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_sk_buff, SIZEOF(sk_buff));
        ctx->skb = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool consume_skb_handle(struct lvd_call *call, struct lvd_message *message) {
    struct consume_skb_context context = {}, *ctx = &context;
    consume_skb_take(call, ctx);
    lvd_drop(call, ctx->skb, LVD_TYPE_sk_buff);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    consume_skb(ctx->skb);
    lvd_reply(call);
    consume_skb_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:41: rpc netif_carrier_on */
/* interfaces/network.idl:43: projection carrier */
static void netif_carrier_on_put_carrier_in(struct lvd_call *call, struct netif_carrier_on_context *ctx, void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)FIELD(ptr, u64, net_device, state));
}

static void netif_carrier_on_put(struct lvd_call *call, struct netif_carrier_on_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        netif_carrier_on_put_carrier_in(call, ctx, ctx->dev);
    }
}

static void netif_carrier_on_take(struct lvd_call *call, struct netif_carrier_on_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool netif_carrier_on_handle(struct lvd_call *call, struct lvd_message *message) {
    struct netif_carrier_on_context context = {}, *ctx = &context;
    netif_carrier_on_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    netif_carrier_on(ctx->dev);
    lvd_reply(call);
    netif_carrier_on_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:42: rpc netif_carrier_off */
/* interfaces/network.idl:43: projection carrier */
static void netif_carrier_off_put_carrier_in(struct lvd_call *call, struct netif_carrier_off_context *ctx,
    void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)FIELD(ptr, u64, net_device, state));
}

static void netif_carrier_off_put(struct lvd_call *call, struct netif_carrier_off_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        netif_carrier_off_put_carrier_in(call, ctx, ctx->dev);
    }
}

static void netif_carrier_off_take(struct lvd_call *call, struct netif_carrier_off_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool netif_carrier_off_handle(struct lvd_call *call, struct lvd_message *message) {
    struct netif_carrier_off_context context = {}, *ctx = &context;
    netif_carrier_off_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    netif_carrier_off(ctx->dev);
    lvd_reply(call);
    netif_carrier_off_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:46: rpc random_bytes */
static void random_bytes_put(struct lvd_call *call, struct random_bytes_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->to) {
        u64 count_1 = (u64)(ctx->length);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->to, count_1 * sizeof(u8));
    }
}

static void random_bytes_take(struct lvd_call *call, struct random_bytes_context *ctx) {
    (void)call, (void)ctx;
    ctx->length = (u32)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = call->slots.broken ? 0 : (u64)(ctx->length);
        lvd_require(call, count_1 <= LVD_MOST_BYTES);
        u8 *pointer_1 = lvd_scratch(call, count_1 * sizeof(u8));
        ctx->to = (u8 *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
        }
    } else {
        ctx->to = (u8 *)NULL;
    }
}

static bool random_bytes_handle(struct lvd_call *call, struct lvd_message *message) {
    struct random_bytes_context context = {}, *ctx = &context;
    random_bytes_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    random_bytes(ctx->to, ctx->length);
    lvd_reply(call);
    random_bytes_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:5: network_lock_rtnl */
static void network_lock_rtnl_put(struct lvd_call *call, struct network_lock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

static void network_lock_rtnl_take(struct lvd_call *call, struct network_lock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

static bool network_lock_rtnl_handle(struct lvd_call *call, struct lvd_message *message) {
    struct network_lock_rtnl_context context = {}, *ctx = &context;
    network_lock_rtnl_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_require(call, lvd_lock(call->peer, NETWORK_LOCK_rtnl, NULL));
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    network_lock_rtnl_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:5: network_unlock_rtnl */
static void network_unlock_rtnl_put(struct lvd_call *call, struct network_unlock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

static void network_unlock_rtnl_take(struct lvd_call *call, struct network_unlock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

static bool network_unlock_rtnl_handle(struct lvd_call *call, struct lvd_message *message) {
    struct network_unlock_rtnl_context context = {}, *ctx = &context;
    network_unlock_rtnl_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_require(call, lvd_unlock(call->peer, NETWORK_LOCK_rtnl, NULL));
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    network_unlock_rtnl_put(call, ctx);
    return lvd_finish(call, message);
}

bool network_kernel_dispatch(struct lvd_peer *peer, struct lvd_message *message) {
    struct lvd_call call;
    lvd_receive(&call, peer, message);
    switch (call.rpc) {
    case NETWORK_IN_KERNEL_consume_skb: return consume_skb_handle(&call, message);
    case NETWORK_IN_KERNEL_netif_carrier_on: return netif_carrier_on_handle(&call, message);
    case NETWORK_IN_KERNEL_netif_carrier_off: return netif_carrier_off_handle(&call, message);
    case NETWORK_IN_KERNEL_random_bytes: return random_bytes_handle(&call, message);
    case NETWORK_IN_KERNEL_network_lock_rtnl: return network_lock_rtnl_handle(&call, message);
    case NETWORK_IN_KERNEL_network_unlock_rtnl: return network_unlock_rtnl_handle(&call, message);
    default: return false;
    }
}

void network_kernel_forget(struct lvd_peer *peer) {
    if (network_peer == peer)
        network_peer = NULL;
}
