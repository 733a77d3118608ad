/* For whoever reads a run from outside: what message numbers are called, and where a thread keeps what. The kernel uses none of it. */
#include "domain.h"
#include <lvd/boot.h>
#include <lvd/rpc.h>
#include "../generated/network.h"

#define NAME(direction, class, number, text) \
    { LVD_NAME_##direction, class, number, 0, text },

__attribute__((section(".lvd_rpc_names"), used)) static const struct lvd_rpc_name names[] = {
#define X(name) NAME(CALL, LVD_CLASS_RPC, LVD_RPC_##name, #name)
    LVD_DOMAIN_RPCS(X)
    LVD_DOMAIN_BLOCK_RPCS(X)
#undef X
#define X(name) NAME(CALLBACK, LVD_CLASS_RPC, LVD_CALL_##name, #name)
    LVD_KERNEL_RPCS(X)
    LVD_KERNEL_BLOCK_RPCS(X)
#undef X
#define X(name) NAME(CALL, LVD_CLASS_RPC, NETWORK_IN_DOMAIN_##name, #name)
    NETWORK_IN_DOMAIN_LIST(X)
#undef X
#define X(name) NAME(CALLBACK, LVD_CLASS_RPC, NETWORK_IN_KERNEL_##name, #name)
    NETWORK_IN_KERNEL_LIST(X)
#undef X
#define X(name) NAME(CALLBACK, LVD_CLASS_SYSCALL, LVD_SYS_##name, #name)
    LVD_SYSCALLS(X)
#undef X
};

/* Messages of domains that name capabilities: which word, in which slot a name of what type, and whether it may be 0. */
#define NAMED(class, number, slot, type, nothing) { number | (u64)class << 32, slot, REFERENCE_##type, nothing },
#define CALL(name, slot, type) NAMED(LVD_CLASS_RPC, LVD_CALL_##name, slot, type, 0)
#define GENERATED(name, slot, type) NAMED(LVD_CLASS_RPC, NETWORK_IN_KERNEL_##name, slot, type, 0)
__attribute__((used)) const u64 lvd_names_in_messages[][4] = {
    CALL(RTNL_LINK_UNREGISTER, 0, LINK_OPS) CALL(FREE_NETDEV, 0, NETDEV) CALL(REGISTER_NETDEVICE, 0, NETDEV)
    NAMED(LVD_CLASS_RPC, LVD_CALL_REGISTER_NETDEVICE, 1, LINK_OPS, 1)
    CALL(UNREGISTER_NETDEVICE, 0, NETDEV) GENERATED(consume_skb, 0, SKB) GENERATED(netif_carrier_on, 0, NETDEV)
    GENERATED(netif_carrier_off, 0, NETDEV)
    CALL(FREE_TAG_SET, 0, TAG_SET) NAMED(LVD_CLASS_RPC, LVD_CALL_ALLOC_DISK, 0, TAG_SET, 1) CALL(ADD_DISK, 0, DISK)
    CALL(DEL_DISK, 0, DISK) CALL(PUT_DISK, 0, DISK) CALL(START_REQUEST, 0, TAG_SET) CALL(COMPLETE_REQUEST, 0, TAG_SET)
    CALL(END_REQUEST, 0, TAG_SET) CALL(BIO_ENDIO, 0, DISK) CALL(STOP_QUEUES, 0, DISK) CALL(START_QUEUES, 0, DISK)
    { 0, 0, 0, 0 },
};
__attribute__((used)) const u64 lvd_capability_places[] = {
    offsetof(struct domain, space), offsetof(struct cspace, slots), sizeof(struct capability), offsetof(struct capability, type),
    CSPACE_SLOTS,
};
_Static_assert(offsetof(struct capability, name) == 0, "Sources/Isolation/Invariants/S19.swift");

__attribute__((used)) const u64 lvd_thread_kernel_stack = offsetof(struct thread, kernel_stack);
