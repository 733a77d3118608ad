/*
 * Messages between the kernel and a domain: 64 bytes in eight registers
 * (word 0 RDI, 1 RSI, 2 RDX, 3 R8, 4 R9, 5 R10, 6 R11, 7 R12; RAX and RCX belong to VMFUNC).
 * Word 0: low half RPC number, high half class. Word 1: number of slots. Words 2 to 7: the first six slots;
 * further slots are in the register page of the CPU, from word 6 on.
 */
#ifndef LVD_RPC_H
#define LVD_RPC_H
#include "types.h"

#define LVD_CLASS_SYNC_IPC 1
#define LVD_CLASS_SYSCALL 2
#define LVD_CLASS_RPC 3

#define LVD_MESSAGE_WORDS 8
#define LVD_MESSAGE_SLOTS 6
#define LVD_MAX_SLOTS 512
#define LVD_PARAMETER_BYTES 512 /* of text, with MODULE_INIT */

/* Kernel to domain, by hand; numbers of generated glue (generated/) begin at 64. */
#define LVD_DOMAIN_RPCS(X) X(MODULE_INIT) X(MODULE_EXIT) X(NETDEV_SETUP)
#define LVD_DOMAIN_BLOCK_RPCS(X)                                                                        \
    X(BLK_INIT_HCTX) X(BLK_EXIT_HCTX) X(BLK_QUEUE_RQ) X(BLK_COMPLETE) X(BLK_SUBMIT_BIO) X(TIMER_EXPIRED)

/* Domain to kernel, class RPC, by hand. */
#define LVD_KERNEL_RPCS(X)                                                                              \
    X(RTNL_LINK_REGISTER) X(RTNL_LINK_UNREGISTER) X(ALLOC_NETDEV) X(FREE_NETDEV) X(REGISTER_NETDEVICE)  \
    X(UNREGISTER_NETDEVICE)
#define LVD_KERNEL_BLOCK_RPCS(X)                                                                        \
    X(REGISTER_BLKDEV) X(UNREGISTER_BLKDEV) X(ALLOC_TAG_SET) X(FREE_TAG_SET) X(ALLOC_DISK) X(ADD_DISK)  \
    X(DEL_DISK) X(PUT_DISK) X(START_REQUEST) X(COMPLETE_REQUEST) X(END_REQUEST) X(BIO_ENDIO)            \
    X(STOP_QUEUES) X(START_QUEUES) X(IO_SCHEDULE) X(TIMER_START) X(TIMER_CANCEL)

/* Domain to kernel, class SYSCALL: the microkernel's own services. */
#define LVD_SYSCALLS(X) X(PUTCHARS) X(ALLOC_PAGES) X(EXIT) X(CONNECT) X(MEMORY) X(CAP_GRANT) X(CAP_RECEIVE) X(CAP_MAP) \
    X(CAP_REVOKE) X(CAP_DELETE) X(CAP_RIGHTS)

#ifndef __ASSEMBLER__
enum lvd_domain_rpc {
#define X(name) LVD_RPC_##name,
    LVD_DOMAIN_RPCS(X)
    LVD_DOMAIN_BLOCK_RPCS(X)
#undef X
    LVD_DOMAIN_RPC_COUNT
};
enum lvd_kernel_rpc {
#define X(name) LVD_CALL_##name,
    LVD_KERNEL_RPCS(X)
    LVD_KERNEL_BLOCK_RPCS(X)
#undef X
    LVD_KERNEL_RPC_COUNT
};
#define LVD_DOMAIN_FIRST_BLOCK_RPC LVD_RPC_BLK_INIT_HCTX
#define LVD_KERNEL_FIRST_BLOCK_RPC LVD_CALL_REGISTER_BLKDEV
enum lvd_syscall {
#define X(name) LVD_SYS_##name,
    LVD_SYSCALLS(X)
#undef X
    LVD_SYSCALL_COUNT
};

struct lvd_message {
    u64 words[LVD_MESSAGE_WORDS];
};
#endif
#endif
