/*
 * Glue for the block path, domain side. Tag sets, disks, requests and bios of the driver are shadows in here; the kernel knows the
 * first two by reference, the others by hardware queue and tag. Requests are made with their tag set, as Linux does, so nothing is
 * allocated on the way of one.
 */
#include "../lib/block.h"
#include "../lib/block_message.h"
#include "../lib/hrtimer.h"
#include "../lib/linux.h"
#include "runtime.h"

enum { MOST_SETS = 16, MOST_DISKS = 16, QUEUES = LVD_MAX_CPUS, BIOS = 64 };

struct set_shadow {
    void *set;
    u64 reference;
    u32 queues, depth;
    size_t stride;
    u8 *requests[QUEUES];
};
static struct set_shadow sets[MOST_SETS];

struct disk_shadow {
    void *disk, *queue;
    struct set_shadow *set; /* NULL: takes bios */
    u64 reference, capacity;
    void *contexts[QUEUES];
    u8 *bios;
};
static struct disk_shadow disks[MOST_DISKS];

/* In front of each request and bio. */
struct shadow_head {
    u64 reference; /* of the tag set, or the disk */
    u64 id;
};
static struct shadow_head *head_of(void *shadow) { return (struct shadow_head *)shadow - 1; }

static u64 call_kernel(enum lvd_kernel_rpc number, u64 first, u64 second, u64 third) {
    struct request request;
    request_begin(&request, LVD_CLASS_RPC, number);
    pack(&request.slots, first);
    pack(&request.slots, second);
    pack(&request.slots, third);
    request_call(&request);
    return unpack(&request.slots);
}

/* -- tag sets ---------------------------------------------------------------------------------------------------- */

int __register_blkdev(u32 major, const char *name, void *probe) {
    (void)name, (void)probe;
    return (int)call_kernel(LVD_CALL_REGISTER_BLKDEV, major, 0, 0);
}
void unregister_blkdev(u32 major, const char *name) {
    (void)name;
    call_kernel(LVD_CALL_UNREGISTER_BLKDEV, major, 0, 0);
}

static struct set_shadow *set_of(const void *set) {
    for (u32 n = 0; n < MOST_SETS; n++)
        if (sets[n].set == set)
            return &sets[n];
    return NULL;
}

static void free_set(struct set_shadow *shadow) {
    for (u32 queue = 0; queue < shadow->queues; queue++)
        kfree(shadow->requests[queue]);
    tag_set_release(shadow->set);
    *shadow = (struct set_shadow){ 0 };
}

static bool allocate_requests(struct set_shadow *shadow, size_t private_bytes) {
    shadow->stride = ALIGN_UP(sizeof(struct shadow_head) + SIZEOF(request) + private_bytes, 64);
    for (u32 queue = 0; queue < shadow->queues; queue++) {
        shadow->requests[queue] = kzalloc(shadow->stride * shadow->depth);
        if (!shadow->requests[queue])
            return false;
        for (u32 tag = 0; tag < shadow->depth; tag++)
            *(struct shadow_head *)(shadow->requests[queue] + tag * shadow->stride) =
                (struct shadow_head){ shadow->reference, request_id(queue, tag) };
    }
    return true;
}

int blk_mq_alloc_tag_set(void *set) {
    struct set_shadow *shadow = set_of(NULL);
    struct request request;
    int error = tag_set_prepare(set);
    if (error || !shadow)
        return error ? error : -ENOMEM;
    shadow->set = set;
    shadow->queues = FIELD(set, u32, blk_mq_tag_set, nr_hw_queues);
    shadow->depth = FIELD(set, u32, blk_mq_tag_set, queue_depth);
    request_begin(&request, LVD_CLASS_RPC, LVD_CALL_ALLOC_TAG_SET);
    pack(&request.slots, shadow->queues | (u64)shadow->depth << 32);
    pack(&request.slots, tag_set_map(set));
    request_call(&request);
    error = (int)unpack(&request.slots);
    shadow->reference = unpack(&request.slots);
    if (!error && !allocate_requests(shadow, FIELD(set, u32, blk_mq_tag_set, cmd_size))) {
        call_kernel(LVD_CALL_FREE_TAG_SET, shadow->reference, 0, 0);
        error = -ENOMEM;
    }
    if (error)
        free_set(shadow);
    return error;
}

void blk_mq_free_tag_set(void *set) {
    struct set_shadow *shadow = set_of(set);
    if (!set || !shadow)
        give_up(4);
    call_kernel(LVD_CALL_FREE_TAG_SET, shadow->reference, 0, 0);
    free_set(shadow);
}

/* -- disks ------------------------------------------------------------------------------------------------------- */

static struct disk_shadow *disk_of(const void *disk) {
    for (u32 n = 0; n < MOST_DISKS; n++)
        if (disks[n].disk == disk)
            return &disks[n];
    give_up(4);
}

static struct disk_shadow *disk_of_queue(const void *queue) {
    for (u32 n = 0; n < MOST_DISKS; n++)
        if (disks[n].disk && disks[n].queue == queue)
            return &disks[n];
    give_up(4);
}

static void free_disk(struct disk_shadow *shadow) {
    for (u32 queue = 0; queue < QUEUES; queue++)
        kfree(shadow->contexts[queue]);
    kfree(shadow->bios);
    kfree(shadow->queue);
    kfree(shadow->disk);
    *shadow = (struct disk_shadow){ 0 };
}

static size_t bio_stride(void) { return ALIGN_UP(sizeof(struct shadow_head) + SIZEOF(bio) + SIZEOF(block_device), 64); }

static bool allocate_shadows(struct disk_shadow *shadow) {
    shadow->queue = kzalloc(SIZEOF(request_queue));
    shadow->disk = kzalloc(SIZEOF(gendisk));
    if (!shadow->queue || !shadow->disk)
        return false;
    FIELD(shadow->disk, void *, gendisk, queue) = shadow->queue;
    queue_default_limits(shadow->queue);
    if (!shadow->set) {
        shadow->bios = kzalloc(bio_stride() * BIOS);
        return shadow->bios != NULL;
    }
    FIELD(shadow->queue, void *, request_queue, mq_ops) = FIELD(shadow->set->set, void *, blk_mq_tag_set, ops);
    for (u32 queue = 0; queue < shadow->set->queues; queue++) {
        void *context = shadow->contexts[queue] = kzalloc(SIZEOF(blk_mq_hw_ctx));
        if (!context)
            return false;
        FIELD(context, void *, blk_mq_hw_ctx, queue) = shadow->queue;
        FIELD(context, u32, blk_mq_hw_ctx, queue_num) = queue;
    }
    return true;
}

static void *allocate_disk(struct set_shadow *set, void *queue_data) {
    struct disk_shadow *shadow = disk_of(NULL);
    struct request request;
    int error = -ENOMEM;

    shadow->set = set;
    if (allocate_shadows(shadow)) {
        FIELD(shadow->queue, void *, request_queue, queuedata) = queue_data;
        request_begin(&request, LVD_CLASS_RPC, LVD_CALL_ALLOC_DISK);
        pack(&request.slots, set ? set->reference : 0);
        pack(&request.slots, (u64)(shadow - disks));
        request_call(&request); /* comes back as BLK_INIT_HCTX, once for each queue, before it returns */
        error = (int)unpack(&request.slots);
        shadow->reference = unpack(&request.slots);
    }
    if (error) {
        free_disk(shadow);
        return (void *)(s64)error;
    }
    return shadow->disk;
}

void *__blk_mq_alloc_disk(void *set, void *queue_data, void *class) {
    struct set_shadow *shadow = set_of(set);
    (void)class;
    if (!set || !shadow)
        give_up(4);
    return allocate_disk(shadow, queue_data);
}
void *__blk_alloc_disk(int node, void *class) {
    (void)node, (void)class;
    return allocate_disk(NULL, NULL);
}

void set_capacity(void *disk, u64 sectors) { disk_of(disk)->capacity = sectors; }

int device_add_disk(void *parent, void *disk, void *groups) {
    struct disk_shadow *shadow = disk_of(disk);
    struct request request;
    u64 name[NAME_WORDS];
    (void)parent, (void)groups;
    memcpy(name, FIELD_ADDRESS(disk, gendisk, disk_name), sizeof name);
    request_begin(&request, LVD_CLASS_RPC, LVD_CALL_ADD_DISK);
    pack(&request.slots, shadow->reference);
    pack(&request.slots, shadow->capacity);
    pack(&request.slots, LIMIT(shadow->queue, logical_block_size) | (u64)LIMIT(shadow->queue, max_hw_sectors) << 32);
    for (u32 n = 0; n < NAME_WORDS; n++)
        pack(&request.slots, name[n]);
    request_call(&request);
    return (int)unpack(&request.slots);
}

void del_gendisk(void *disk) { call_kernel(LVD_CALL_DEL_DISK, disk_of(disk)->reference, 0, 0); }
void put_disk(void *disk) {
    struct disk_shadow *shadow = disk_of(disk);
    call_kernel(LVD_CALL_PUT_DISK, shadow->reference, 0, 0); /* comes back as BLK_EXIT_HCTX */
    free_disk(shadow);
}
void blk_mq_stop_hw_queues(void *queue) { call_kernel(LVD_CALL_STOP_QUEUES, disk_of_queue(queue)->reference, 0, 0); }
void blk_mq_start_stopped_hw_queues(void *queue, bool async) {
    (void)async;
    call_kernel(LVD_CALL_START_QUEUES, disk_of_queue(queue)->reference, 0, 0);
}

/* -- requests ---------------------------------------------------------------------------------------------------- */

static u64 request_call_kernel(enum lvd_kernel_rpc number, void *rq, u64 status) {
    return call_kernel(number, head_of(rq)->reference, head_of(rq)->id, status);
}

void blk_mq_start_request(void *rq) {
    FIELD(rq, u32, request, state) = ISSUED_STATE;
    request_call_kernel(LVD_CALL_START_REQUEST, rq, 0);
}
void blk_mq_complete_request(void *rq) { request_call_kernel(LVD_CALL_COMPLETE_REQUEST, rq, 0); }
void blk_mq_end_request(void *rq, u8 status) { request_call_kernel(LVD_CALL_END_REQUEST, rq, status); }
void bio_endio(void *bio) { request_call_kernel(LVD_CALL_BIO_ENDIO, bio, FIELD(bio, u8, bio, bi_status)); }
void io_schedule(void) { call_kernel(LVD_CALL_IO_SCHEDULE, 0, 0, 0); }

static void *request_of(struct disk_shadow *shadow, u64 id) {
    struct set_shadow *set = shadow->set;
    if (!set || id_queue(id) >= set->queues || id_tag(id) >= set->depth)
        give_up(6);
    return set->requests[id_queue(id)] + id_tag(id) * set->stride + sizeof(struct shadow_head);
}

static u32 receive_request(struct disk_shadow *shadow, struct slots *in) {
    u64 id = unpack(in), sector = unpack(in), size = unpack(in);
    void *rq = request_of(shadow, id);
    FIELD(rq, void *, request, q) = shadow->queue;
    FIELD(rq, void *, request, mq_hctx) = shadow->contexts[id_queue(id)];
    FIELD(rq, u32, request, cmd_flags) = (u32)(size >> 32);
    FIELD(rq, u32, request, tag) = id_tag(id);
    FIELD(rq, u32, request, __data_len) = (u32)size;
    FIELD(rq, u64, request, __sector) = sector;
    return queue_rq(shadow->contexts[id_queue(id)], rq, true);
}

static void receive_bio(struct disk_shadow *shadow, struct slots *in) {
    u64 id = unpack(in), sector = unpack(in), size = unpack(in);
    if (!shadow->bios || id_queue(id) || id_tag(id) >= BIOS)
        give_up(6);
    struct shadow_head *head = (struct shadow_head *)(shadow->bios + id_tag(id) * bio_stride());
    void *bio = head + 1, *iterator = FIELD_ADDRESS(bio, bio, bi_iter), *device = (u8 *)bio + SIZEOF(bio);
    void (*submit)(void *bio) = FIELD(FIELD(shadow->disk, void *, gendisk, fops), void *, block_device_operations, submit_bio);
    *head = (struct shadow_head){ shadow->reference, id };
    FIELD(device, void *, block_device, bd_disk) = shadow->disk;
    FIELD(bio, void *, bio, bi_bdev) = device;
    FIELD(bio, u8, bio, bi_status) = 0;
    FIELD(bio, u32, bio, bi_opf) = (u32)(size >> 32);
    FIELD(iterator, u64, bvec_iter, bi_sector) = sector;
    FIELD(iterator, u32, bvec_iter, bi_size) = (u32)size;
    submit(bio);
}

static void complete(struct disk_shadow *shadow, u64 id) {
    void *rq = request_of(shadow, id);
    void (*function)(void *rq) = FIELD(FIELD(shadow->queue, void *, request_queue, mq_ops), void *, blk_mq_ops, complete);
    if (!function)
        give_up(7);
    function(rq);
}

static u64 context_call(struct disk_shadow *shadow, u64 queue, bool begins) {
    void *ops, *context;
    if (!shadow->set || queue >= shadow->set->queues)
        give_up(6);
    ops = FIELD(shadow->queue, void *, request_queue, mq_ops);
    context = shadow->contexts[queue];
    if (begins) {
        int (*init)(void *context, void *data, u32 index) = FIELD(ops, void *, blk_mq_ops, init_hctx);
        return init ? (u64)(s64)init(context, FIELD(shadow->set->set, void *, blk_mq_tag_set, driver_data), (u32)queue) : 0;
    }
    void (*exit)(void *context, u32 index) = FIELD(ops, void *, blk_mq_ops, exit_hctx);
    if (exit)
        exit(context, (u32)queue);
    return 0;
}

/* -- timers ------------------------------------------------------------------------------------------------------ */

s64 ktime_get(void) {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (s64)((low | (u64)high << 32) * 10 / 26); /* 2.6 GHz */
}

void hrtimer_start_range_ns(void *timer, s64 time, u64 range, int mode) {
    s64 now = ktime_get(), wait = mode & 1 ? time : time - now; /* HRTIMER_MODE_REL */
    (void)range;
    if (*timer_number(timer))
        call_kernel(LVD_CALL_TIMER_CANCEL, *timer_number(timer), 0, 0);
    *timer_expires(timer) = now + wait;
    /* It expires on this CPU, and not before the driver has returned: softirq.c. */
    *timer_number(timer) = call_kernel(LVD_CALL_TIMER_START, (u64)timer, wait > 0 ? (u64)wait : 0, 0);
    if (!*timer_number(timer))
        give_up(8);
}

int hrtimer_cancel(void *timer) {
    u64 number = *timer_number(timer);
    if (!number || !call_kernel(LVD_CALL_TIMER_CANCEL, number, 0, 0))
        return 0;
    *timer_number(timer) = 0;
    return 1;
}
bool hrtimer_active(const void *timer) { return *timer_number((void *)timer) != 0; }

static void expired(void *timer, u64 number, struct slots *out) {
    int (*function)(void *timer) = FIELD(timer, void *, hrtimer, function);
    *timer_number(timer) = 0;
    if (function(timer) != TIMER_RESTARTS) { /* and it may be in use for something else by now */
        pack(out, 0);
        return;
    }
    s64 wait = *timer_expires(timer) - ktime_get();
    *timer_number(timer) = number;
    pack(out, 1);
    pack(out, wait > 0 ? (u64)wait : 0);
}

void missing_import(const char *name) {
    int _printk(const char *format, ...);
    _printk("the driver calls %s, which a domain does not have\n", name);
    give_up(5);
}

/* -- kernel to driver -------------------------------------------------------------------------------------------- */

bool block_call(u32 number, struct slots *in, struct slots *out) {
    u64 token = unpack(in);
    struct disk_shadow *shadow = token < MOST_DISKS && disks[token].disk ? &disks[token] : NULL;
    if (number == LVD_RPC_TIMER_EXPIRED) {
        expired((void *)token, unpack(in), out);
        return true;
    }
    if (!shadow)
        return false;
    switch (number) {
    case LVD_RPC_BLK_INIT_HCTX: pack(out, context_call(shadow, unpack(in), true)); break;
    case LVD_RPC_BLK_EXIT_HCTX: pack(out, context_call(shadow, unpack(in), false)); break;
    case LVD_RPC_BLK_QUEUE_RQ: pack(out, receive_request(shadow, in)); break;
    case LVD_RPC_BLK_SUBMIT_BIO: receive_bio(shadow, in); break;
    case LVD_RPC_BLK_COMPLETE: complete(shadow, unpack(in)); break;
    default: return false;
    }
    return true;
}
