/*
 * The fields of Linux structures that the kernel and the in-domain runtime touch. Code never uses a C member access on
 * such a structure: it goes through a slot that holds the byte offset, so one build serves drivers of any kernel. The default values are
 * offsets in our own include/linux headers; for another kernel's driver the loader overwrites them from that kernel's BTF.
 */
#ifndef LVD_ABI_H
#define LVD_ABI_H
#include "abi_block.h"
#include "boot.h"

#define LVD_ABI_FIELDS(X)                                                                                       \
    X(net_device, name) X(net_device, state) X(net_device, flags) X(net_device, priv_flags)                     \
    X(net_device, features) X(net_device, hw_features) X(net_device, hw_enc_features)                           \
    X(net_device, netdev_ops) X(net_device, ethtool_ops) X(net_device, rtnl_link_ops)                           \
    X(net_device, ifindex) X(net_device, type) X(net_device, hard_header_len) X(net_device, min_header_len)     \
    X(net_device, mtu) X(net_device, min_mtu) X(net_device, max_mtu) X(net_device, addr_len)                    \
    X(net_device, addr_assign_type) X(net_device, dev_addr) X(net_device, broadcast)                            \
    X(net_device, tx_queue_len) X(net_device, num_tx_queues) X(net_device, needs_free_netdev)                   \
    X(net_device, priv_destructor) X(net_device, lstats)                                                        \
    X(net_device_ops, ndo_init) X(net_device_ops, ndo_uninit) X(net_device_ops, ndo_open)                       \
    X(net_device_ops, ndo_stop) X(net_device_ops, ndo_start_xmit) X(net_device_ops, ndo_set_rx_mode)            \
    X(net_device_ops, ndo_set_mac_address) X(net_device_ops, ndo_validate_addr)                                 \
    X(net_device_ops, ndo_get_stats64) X(net_device_ops, ndo_change_carrier)                                    \
    X(rtnl_link_ops, kind) X(rtnl_link_ops, setup) X(rtnl_link_ops, validate) X(rtnl_link_ops, dellink)         \
    X(rtnl_link_stats64, tx_packets) X(rtnl_link_stats64, tx_bytes)                                             \
    X(rtnl_link_stats64, rx_packets) X(rtnl_link_stats64, rx_bytes)                                             \
    X(pcpu_lstats, packets) X(pcpu_lstats, bytes)                                                               \
    X(sk_buff, len) X(sk_buff, data_len) X(sk_buff, head) X(sk_buff, data) X(sk_buff, tail) X(sk_buff, end)     \
    X(sk_buff, dev) X(sk_buff, protocol) X(sk_buff, queue_mapping)                                              \
    X(skb_shared_info, tx_flags) X(skb_shared_info, nr_frags)

#define LVD_ABI_SIZES(S)                                                                                        \
    S(net_device) S(net_device_ops) S(rtnl_link_ops) S(rtnl_link_stats64) S(sk_buff) S(skb_shared_info) S(pcpu_lstats)

#define X(type, field) extern struct lvd_abi_slot lvd_abi_##type##_##field;
#define S(type) extern struct lvd_abi_slot lvd_abi_sizeof_##type;
LVD_ABI_FIELDS(X)
LVD_ABI_BLOCK_FIELDS(X)
LVD_ABI_SIZES(S)
LVD_ABI_BLOCK_SIZES(S)
#undef X
#undef S

/* FIELD(skb, u32, sk_buff, len) is an lvalue; SIZEOF(net_device) the structure's size in the driver's kernel. */
#define FIELD_ADDRESS(object, type, field) ((void *)((char *)(object) + lvd_abi_##type##_##field.value))
#define FIELD(object, ctype, type, field) (*(ctype *)FIELD_ADDRESS(object, type, field))
#define SIZEOF(type) (lvd_abi_sizeof_##type.value)
#endif
