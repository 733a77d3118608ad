/* The slots of lvd/abi.h with the layout of our own headers; see there. */
#include <linux/blk-mq.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <lvd/abi.h>

#define SLOT __attribute__((section(".lvd_abi"), used))
#define X(type, field) \
    SLOT struct lvd_abi_slot lvd_abi_##type##_##field = { __builtin_offsetof(struct type, field), #type "." #field };
#define S(type) \
    SLOT struct lvd_abi_slot lvd_abi_sizeof_##type = { sizeof(struct type), "sizeof " #type };
LVD_ABI_FIELDS(X)
LVD_ABI_BLOCK_FIELDS(X)
LVD_ABI_SIZES(S)
LVD_ABI_BLOCK_SIZES(S)
