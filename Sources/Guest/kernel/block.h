/*
 * The multi-queue block layer. The core knows tag sets, disks and requests of its own; a driver is behind struct block_ops, which is
 * either a Linux driver in the kernel (block_native.c) or one in a domain (block_glue.c).
 */
#ifndef KERNEL_BLOCK_H
#define KERNEL_BLOCK_H
#include "kernel.h"
#include "softirq.h"

enum { BLOCK_QUEUES = LVD_MAX_CPUS, BLOCK_DEPTH = 1024, BLOCK_BIOS = 64, DISK_NAME = 32, SECTOR = 512 };
enum { BLOCK_READ, BLOCK_WRITE };
enum { STATUS_OK, STATUS_RESOURCE = 9, STATUS_IOERR = 10, STATUS_DEV_RESOURCE = 13 };

/* COMPLETED: the driver's second half is due; DELIVERED: it has been called. The driver may end what is started or delivered. */
enum request_state { REQUEST_FREE, REQUEST_ISSUED, REQUEST_STARTED, REQUEST_COMPLETED, REQUEST_DELIVERED };

/* What the driver is asked to do; for a native driver Linux's request and its private data follow. */
struct block_request {
    struct tag_set *set;
    struct disk *disk;
    u32 queue, tag;
    volatile u32 state;  /* enum request_state: every step is made exactly once, by whoever comes first */
    volatile u32 holds;  /* whoever issues it, and the driver until it has ended it: then the tag is free again */
    u32 operation, bytes;
    u64 sector, payload; /* offset in the pool */
    u64 issued;          /* time-stamp counter */
    void (*done)(struct block_request *request, u32 status);
    void *owner;
    struct work work;
};

struct tag_set {
    struct tag_set *next;
    const struct block_ops *ops;
    struct domain *domain; /* NULL: a driver in the kernel */
    u64 reference;         /* what the domain calls it */
    void *linux_set;       /* native: struct blk_mq_tag_set */
    u32 queues, depth, disks;
    size_t stride;
    u8 queue_of[LVD_MAX_CPUS];
    spinlock_t lock;
    u64 free[BLOCK_QUEUES][BLOCK_DEPTH / 64];
    u8 *requests[BLOCK_QUEUES];
};

struct disk {
    struct disk *next;
    struct tag_set *set;
    bool added, own_set; /* own_set: a driver that takes bios has no tags, the kernel counts for it */
    volatile u32 users, stopped;
    volatile u32 under_way; /* requests whose tag is taken */
    u32 driver;          /* in the order of loading */
    u64 reference;       /* what the domain calls it */
    u64 token;           /* and where it keeps its shadow: never used here */
    void *linux_disk;    /* native: struct gendisk */
    void *linux_contexts[BLOCK_QUEUES];
    char name[DISK_NAME];
    u64 capacity;        /* sectors */
    u32 block_size, most_sectors;
    volatile u64 count[2], sectors[2], errors;
};

struct block_ops {
    u32 (*queue_rq)(struct block_request *request);
    void (*complete)(struct block_request *request);
    int (*init_hctx)(struct disk *disk, u32 queue);
    void (*exit_hctx)(struct disk *disk, u32 queue);
    void (*misbehaved)(struct tag_set *set, const char *how);
};

struct block_limits {
    char name[DISK_NAME];
    u64 capacity;
    u32 block_size, most_sectors;
};

struct tag_set *tag_set_create(const struct block_ops *ops, struct domain *domain, u32 queues, u32 depth, size_t private_bytes);
bool tag_set_destroy(struct tag_set *set);
struct disk *disk_create(struct tag_set *set);
int disk_start_queues(struct disk *disk);
int disk_add(struct disk *disk, const struct block_limits *limits);
bool disk_remove(struct disk *disk);
bool disk_destroy(struct disk *disk);
struct disk *disk_next(const struct disk *after);
u32 disks_of_driver(u32 driver, const struct domain *domain, struct disk **to, u32 most);

struct block_request *request_alloc(struct disk *disk, u32 operation, u64 sector, u32 bytes);
u32 request_issue(struct block_request *request);
bool request_start(struct block_request *request);
bool request_complete(struct block_request *request);
bool request_end(struct block_request *request, u32 status);
struct block_request *request_at(const struct tag_set *set, u64 queue, u64 tag);

/* Of an isolated driver (block_glue.c). */
void block_forget_domain(struct domain *domain);
int __register_blkdev(u32 major, const char *name, void *probe);
struct slots;
bool block_call(u32 number, struct domain *domain, struct slots *in, struct slots *out);

static inline void disk_hold(struct disk *disk) { __sync_fetch_and_add(&disk->users, 1); }
static inline void disk_release(struct disk *disk) { __sync_fetch_and_sub(&disk->users, 1); }
#endif
