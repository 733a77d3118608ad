/* What both sides of marshalling.flat stand on. Compiled once for the kernel and once, with another prefix, for the domain. */
#ifndef MARSHALLING_ENVIRONMENT_H
#define MARSHALLING_ENVIRONMENT_H
#include <lvd/objects.h>
#include <linux/errno.h>
#include "generated/marshalling.h"

/* A domain as the kernel has it: its references, its overflow page, and how often it sent what no honest domain sends. */
struct lvd_peer {
    struct lvd_objects objects;
    u64 registers[LVD_MAX_SLOTS];
    u32 refused, killed;
    bool holds[2]; /* the locks */
    /* The domain's own: in a real system this is its memory, and nothing of it is here. */
    struct lvd_objects domain_objects;
};

extern u8 payload[64];     /* the shared region */
extern u32 device[16];     /* device memory */
extern u32 allocated;      /* blocks of this side that are not free */
#endif
