/* For whoever reads a run from outside: what message numbers are called, and where a thread keeps what. The kernel uses none of it. */
#include "kernel.h"
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

__attribute__((used)) const u64 lvd_thread_kernel_stack = offsetof(struct thread, kernel_stack);
