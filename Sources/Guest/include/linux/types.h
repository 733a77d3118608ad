#ifndef _LINUX_TYPES_H
#define _LINUX_TYPES_H
#include <lvd/types.h>

typedef unsigned long size_t;
typedef long ssize_t;
typedef unsigned long uintptr_t;
typedef _Bool bool;
typedef unsigned int gfp_t;
typedef u16 __be16;
typedef u64 netdev_features_t;
#define true 1
#define false 0
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#define __percpu
#define __init __attribute__((section(".init.text")))
#define __exit __attribute__((section(".exit.text")))
#define GFP_KERNEL 0xcc0u
#define GFP_ATOMIC 0xa20u
#endif
