/* What is packed by hand: which is what the interfaces (interfaces/network.idl) do not say. */
#ifndef LVD_MESSAGE_H
#define LVD_MESSAGE_H
#include "ethernet.h"
#include <lvd/slots.h>

/* The scalar fields of a net_device that a driver decides on: its projection. */
#define NETDEV_SCALARS(X)                                                                                       \
    X(u32, flags) X(u64, priv_flags) X(u64, features) X(u64, hw_features) X(u64, hw_enc_features) X(u16, type)  \
    X(u16, hard_header_len) X(u8, min_header_len) X(u8, addr_len) X(u8, addr_assign_type)                       \
    X(u8, needs_free_netdev) X(u32, mtu) X(u32, min_mtu) X(u32, max_mtu) X(u32, tx_queue_len)

/* Its operations: only which of them exist crosses, never an address (G4). Bit n of the mask is the n-th here. */
#define NETDEV_OPERATIONS(X)                                                                                    \
    X(ndo_init) X(ndo_uninit) X(ndo_open) X(ndo_stop) X(ndo_start_xmit) X(ndo_set_rx_mode)                      \
    X(ndo_set_mac_address) X(ndo_validate_addr) X(ndo_get_stats64) X(ndo_change_carrier)

static inline void pack_netdev_scalars(struct slots *slots, void *dev) {
    u64 address = 0;
#define X(type, field) pack(slots, FIELD(dev, type, net_device, field));
    NETDEV_SCALARS(X)
#undef X
    memcpy(&address, FIELD(dev, void *, net_device, dev_addr), 8);
    pack(slots, address);
}

static inline void unpack_netdev_scalars(struct slots *slots, void *dev) {
    u64 address;
#define X(type, field) FIELD(dev, type, net_device, field) = (type)unpack(slots);
    NETDEV_SCALARS(X)
#undef X
    address = unpack(slots);
    memcpy(FIELD(dev, void *, net_device, dev_addr), &address, 8);
}
#endif
