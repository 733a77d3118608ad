/*
 * Interface "network" of interfaces/network.idl, the side of the domain.
 * Made by `lvdsim idl generate`; change the interface, not this.
 */
#include "network.h"

/* interfaces/network.idl:10: rpc_export ndo_init */
static void ndo_init_put(struct lvd_call *call, struct ndo_init_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_init_take(struct lvd_call *call, struct ndo_init_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_init_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_init_context context = {}, *ctx = &context;
    ndo_init_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_init(ctx->dev);
    lvd_reply(call);
    ndo_init_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:11: rpc_export ndo_uninit */
static void ndo_uninit_put(struct lvd_call *call, struct ndo_uninit_context *ctx) {
    (void)call, (void)ctx;
}

static void ndo_uninit_take(struct lvd_call *call, struct ndo_uninit_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_uninit_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_uninit_context context = {}, *ctx = &context;
    ndo_uninit_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ndo_uninit(ctx->dev);
    lvd_reply(call);
    ndo_uninit_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:12: rpc_export ndo_open */
static void ndo_open_put(struct lvd_call *call, struct ndo_open_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_open_take(struct lvd_call *call, struct ndo_open_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_open_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_open_context context = {}, *ctx = &context;
    ndo_open_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_open(ctx->dev);
    lvd_reply(call);
    ndo_open_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:13: rpc_export ndo_stop */
static void ndo_stop_put(struct lvd_call *call, struct ndo_stop_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_stop_take(struct lvd_call *call, struct ndo_stop_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_stop_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_stop_context context = {}, *ctx = &context;
    ndo_stop_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_stop(ctx->dev);
    lvd_reply(call);
    ndo_stop_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:14: rpc_export ndo_set_rx_mode */
static void ndo_set_rx_mode_put(struct lvd_call *call, struct ndo_set_rx_mode_context *ctx) {
    (void)call, (void)ctx;
}

static void ndo_set_rx_mode_take(struct lvd_call *call, struct ndo_set_rx_mode_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_set_rx_mode_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_set_rx_mode_context context = {}, *ctx = &context;
    ndo_set_rx_mode_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ndo_set_rx_mode(ctx->dev);
    lvd_reply(call);
    ndo_set_rx_mode_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:15: rpc_export ndo_validate_addr */
static void ndo_validate_addr_put(struct lvd_call *call, struct ndo_validate_addr_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_validate_addr_take(struct lvd_call *call, struct ndo_validate_addr_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_validate_addr_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_validate_addr_context context = {}, *ctx = &context;
    ndo_validate_addr_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_validate_addr(ctx->dev);
    lvd_reply(call);
    ndo_validate_addr_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:16: rpc_export ndo_change_carrier */
static void ndo_change_carrier_put(struct lvd_call *call, struct ndo_change_carrier_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_change_carrier_take(struct lvd_call *call, struct ndo_change_carrier_context *ctx) {
    (void)call, (void)ctx;
    ctx->on = (bool)lvd_take(call);
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_change_carrier_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_change_carrier_context context = {}, *ctx = &context;
    ndo_change_carrier_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_change_carrier(ctx->dev, ctx->on);
    lvd_reply(call);
    ndo_change_carrier_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:17: rpc_export ndo_set_mac_address */
static void ndo_set_mac_address_put(struct lvd_call *call, struct ndo_set_mac_address_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_set_mac_address_take(struct lvd_call *call, struct ndo_set_mac_address_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
    if (lvd_take(call)) {
        u8 *pointer_2 = lvd_scratch(call, 8 * sizeof(u8));
        ctx->socket_address = (u8 *)pointer_2;
        if (pointer_2 && !call->slots.broken) {
            lvd_take_bytes(call, pointer_2, 8 * sizeof(u8));
        }
    } else {
        ctx->socket_address = (u8 *)NULL;
    }
}

static bool ndo_set_mac_address_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_set_mac_address_context context = {}, *ctx = &context;
    ndo_set_mac_address_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_set_mac_address(ctx->dev, ctx->socket_address);
    lvd_reply(call);
    ndo_set_mac_address_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:18: rpc_export ndo_start_xmit */
/* interfaces/network.idl:19: projection packet */
static void ndo_start_xmit_take_packet_in(struct lvd_call *call, struct ndo_start_xmit_context *ctx, void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    FIELD(ptr, u32, sk_buff, len) = (u32)lvd_take(call);
    FIELD(ptr, u16, sk_buff, protocol) = (u16)lvd_take(call);
    FIELD(ptr, u16, sk_buff, queue_mapping) = (u16)lvd_take(call);
    FIELD(ptr, u8 *, sk_buff, data) = (u8 *)lvd_take_shared(call, NETWORK_REGION_pool, (u64)(FIELD(ptr, u32, sk_buff,
        len)) * sizeof(u8));
}

static void ndo_start_xmit_put(struct lvd_call *call, struct ndo_start_xmit_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ndo_start_xmit_take(struct lvd_call *call, struct ndo_start_xmit_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_sk_buff, SIZEOF(sk_buff), 0, false);
        ctx->skb = (void *)pointer_1;
        if (pointer_1) {
            ndo_start_xmit_take_packet_in(call, ctx, pointer_1);
        }
    } else {
        ctx->skb = (void *)NULL;
    }
    u64 reference_2 = lvd_take(call);
    if (reference_2) {
        void *pointer_2 = lvd_take_object(call, reference_2, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_2;
    } else {
        lvd_refuse(call);
    }
}

static bool ndo_start_xmit_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_start_xmit_context context = {}, *ctx = &context;
    ndo_start_xmit_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ndo_start_xmit(ctx->skb, ctx->dev);
    lvd_reply(call);
    ndo_start_xmit_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:26: rpc_export ndo_get_stats64 */
/* interfaces/network.idl:28: projection stats */
static void ndo_get_stats64_put_stats_out(struct lvd_call *call, struct ndo_get_stats64_context *ctx, void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)FIELD(ptr, u64, rtnl_link_stats64, rx_packets));
    lvd_put(call, (u64)FIELD(ptr, u64, rtnl_link_stats64, rx_bytes));
    lvd_put(call, (u64)FIELD(ptr, u64, rtnl_link_stats64, tx_packets));
    lvd_put(call, (u64)FIELD(ptr, u64, rtnl_link_stats64, tx_bytes));
}

static void ndo_get_stats64_put(struct lvd_call *call, struct ndo_get_stats64_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->stats) {
        ndo_get_stats64_put_stats_out(call, ctx, ctx->stats);
    }
}

static void ndo_get_stats64_take(struct lvd_call *call, struct ndo_get_stats64_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
    if (lvd_take(call)) {
        void *pointer_2 = lvd_scratch(call, SIZEOF(rtnl_link_stats64));
        ctx->stats = (void *)pointer_2;
        if (pointer_2 && !call->slots.broken) {
        }
    } else {
        ctx->stats = (void *)NULL;
    }
}

static bool ndo_get_stats64_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ndo_get_stats64_context context = {}, *ctx = &context;
    ndo_get_stats64_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ndo_get_stats64(ctx->dev, ctx->stats);
    lvd_reply(call);
    ndo_get_stats64_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:35: rpc_export netdev_release */
static void netdev_release_put(struct lvd_call *call, struct netdev_release_context *ctx) {
    (void)call, (void)ctx;
}

static void netdev_release_take(struct lvd_call *call, struct netdev_release_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        void *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_net_device, SIZEOF(net_device));
        ctx->dev = (void *)pointer_1;
    } else {
        lvd_refuse(call);
    }
}

static bool netdev_release_handle(struct lvd_call *call, struct lvd_message *message) {
    struct netdev_release_context context = {}, *ctx = &context;
    netdev_release_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    netdev_release(ctx->dev);
    lvd_reply(call);
    netdev_release_put(call, ctx);
    return lvd_finish(call, message);
}

/* interfaces/network.idl:38: rpc consume_skb */
static void consume_skb_put(struct lvd_call *call, struct consume_skb_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->skb) {
        lvd_put_object(call, ctx->skb, LVD_TYPE_sk_buff);
    } else {
        lvd_put(call, 0);
    }
}

static void consume_skb_take(struct lvd_call *call, struct consume_skb_context *ctx) {
    (void)call, (void)ctx;
}

void consume_skb(void *skb) {
    struct consume_skb_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->skb = (void *)skb;
    lvd_begin(call, NULL, NETWORK_IN_KERNEL_consume_skb);
    consume_skb_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        consume_skb_take(call, ctx);
        enum lvd_ending ending_0 = lvd_drop(call, ctx->skb, LVD_TYPE_sk_buff);
        if (ending_0 == LVD_ENDED_SHADOW)
            lvd_free(ctx->skb);
    }
    lvd_end(call, answered);
}

/* interfaces/network.idl:41: rpc netif_carrier_on */
/* interfaces/network.idl:43: projection carrier */
static void netif_carrier_on_take_carrier_in(struct lvd_call *call, struct netif_carrier_on_context *ctx, void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    FIELD(ptr, u64, net_device, state) = (u64)lvd_take(call);
}

static void netif_carrier_on_put(struct lvd_call *call, struct netif_carrier_on_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void netif_carrier_on_take(struct lvd_call *call, struct netif_carrier_on_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        netif_carrier_on_take_carrier_in(call, ctx, ctx->dev);
    }
}

void netif_carrier_on(void *dev) {
    struct netif_carrier_on_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, NULL, NETWORK_IN_KERNEL_netif_carrier_on);
    netif_carrier_on_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        netif_carrier_on_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* interfaces/network.idl:42: rpc netif_carrier_off */
/* interfaces/network.idl:43: projection carrier */
static void netif_carrier_off_take_carrier_in(struct lvd_call *call, struct netif_carrier_off_context *ctx,
    void *ptr) {
    (void)call, (void)ctx, (void)ptr;
    FIELD(ptr, u64, net_device, state) = (u64)lvd_take(call);
}

static void netif_carrier_off_put(struct lvd_call *call, struct netif_carrier_off_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        lvd_put_object(call, ctx->dev, LVD_TYPE_net_device);
    } else {
        lvd_put(call, 0);
    }
}

static void netif_carrier_off_take(struct lvd_call *call, struct netif_carrier_off_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->dev) {
        netif_carrier_off_take_carrier_in(call, ctx, ctx->dev);
    }
}

void netif_carrier_off(void *dev) {
    struct netif_carrier_off_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->dev = (void *)dev;
    lvd_begin(call, NULL, NETWORK_IN_KERNEL_netif_carrier_off);
    netif_carrier_off_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        netif_carrier_off_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* interfaces/network.idl:46: rpc random_bytes */
static void random_bytes_put(struct lvd_call *call, struct random_bytes_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->length);
    if (ctx->to) {
        lvd_put(call, 1);
    } else {
        lvd_put(call, 0);
    }
}

static void random_bytes_take(struct lvd_call *call, struct random_bytes_context *ctx) {
    (void)call, (void)ctx;
    u64 room_1 = ctx->to ? (u64)(ctx->length) : 0;
    if (ctx->to) {
        u64 count_1 = lvd_take_count(call, sizeof(u8));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->length));
        lvd_require(call, count_1 <= room_1);
        if (call->slots.broken) {
            return;
        }
        lvd_take_bytes(call, ctx->to, count_1 * sizeof(u8));
    }
}

void random_bytes(u8 *to, u32 length) {
    struct random_bytes_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->to = (u8 *)to;
    ctx->length = (u32)length;
    lvd_begin(call, NULL, NETWORK_IN_KERNEL_random_bytes);
    random_bytes_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        random_bytes_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* interfaces/network.idl:5: network_lock_rtnl */
static void network_lock_rtnl_put(struct lvd_call *call, struct network_lock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

static void network_lock_rtnl_take(struct lvd_call *call, struct network_lock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

void network_lock_rtnl(void) {
    struct network_lock_rtnl_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, NULL, NETWORK_IN_KERNEL_network_lock_rtnl);
    network_lock_rtnl_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        network_lock_rtnl_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* interfaces/network.idl:5: network_unlock_rtnl */
static void network_unlock_rtnl_put(struct lvd_call *call, struct network_unlock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

static void network_unlock_rtnl_take(struct lvd_call *call, struct network_unlock_rtnl_context *ctx) {
    (void)call, (void)ctx;
}

void network_unlock_rtnl(void) {
    struct network_unlock_rtnl_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, NULL, NETWORK_IN_KERNEL_network_unlock_rtnl);
    network_unlock_rtnl_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        network_unlock_rtnl_take(call, ctx);
    }
    lvd_end(call, answered);
}

bool network_domain_dispatch(struct lvd_peer *peer, struct lvd_message *message) {
    struct lvd_call call;
    lvd_receive(&call, peer, message);
    switch (call.rpc) {
    case NETWORK_IN_DOMAIN_ndo_init: return ndo_init_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_uninit: return ndo_uninit_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_open: return ndo_open_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_stop: return ndo_stop_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_set_rx_mode: return ndo_set_rx_mode_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_validate_addr: return ndo_validate_addr_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_change_carrier: return ndo_change_carrier_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_set_mac_address: return ndo_set_mac_address_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_start_xmit: return ndo_start_xmit_handle(&call, message);
    case NETWORK_IN_DOMAIN_ndo_get_stats64: return ndo_get_stats64_handle(&call, message);
    case NETWORK_IN_DOMAIN_netdev_release: return netdev_release_handle(&call, message);
    default: return false;
    }
}
