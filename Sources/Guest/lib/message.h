/* Slots of a message: the first six travel in registers, the others in the register page. Both ends check every bound (S18). */
#ifndef LVD_MESSAGE_H
#define LVD_MESSAGE_H
#include "ethernet.h"
#include <lvd/rpc.h>

struct slots {
    struct lvd_message *message;
    u64 *registers; /* the register page */
    u32 next, count;
    bool broken;    /* a bound was hit: values read are 0 from then on */
};

static inline struct slots slots_begin(struct lvd_message *message, u64 *registers) {
    return (struct slots){ message, registers, 0, 0, false };
}

/* For reading what the other side packed. */
static inline struct slots slots_open(struct lvd_message *message, u64 *registers) {
    u64 count = message->words[1];
    return (struct slots){ message, registers, 0, count <= LVD_MAX_SLOTS ? (u32)count : 0, count > LVD_MAX_SLOTS };
}

static inline u64 *slot_address(struct slots *slots, u32 n) {
    return n < LVD_MESSAGE_SLOTS ? &slots->message->words[2 + n] : &slots->registers[n];
}

static inline void pack(struct slots *slots, u64 value) {
    if (slots->next >= LVD_MAX_SLOTS) {
        slots->broken = true;
        return;
    }
    *slot_address(slots, slots->next++) = value;
    slots->message->words[1] = slots->next;
}

static inline u64 unpack(struct slots *slots) {
    if (slots->next >= slots->count) {
        slots->broken = true;
        return 0;
    }
    return *slot_address(slots, slots->next++);
}

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

static inline u64 rpc_word(u32 class, u32 number) { return number | (u64)class << 32; }
#endif
