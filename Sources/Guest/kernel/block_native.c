/* Linux's block interface for a driver in the kernel itself: its structures are the driver's own, requests lie behind the core's. */
#include "../lib/block.h"
#include "../lib/hrtimer.h"
#include "../lib/linux.h"
#include "block.h"

/* -- from the core to the driver --------------------------------------------------------------------------------- */

static void *linux_request(struct block_request *request) { return request + 1; }
static struct block_request *core_request(void *rq) { return (struct block_request *)rq - 1; }
static void *operation(const struct tag_set *set, const struct lvd_abi_slot *slot) {
    return *(void **)(FIELD(set->linux_set, u8 *, blk_mq_tag_set, ops) + slot->value);
}

static u32 native_queue_rq(struct block_request *request) {
    void *rq = linux_request(request), *context = request->disk->linux_contexts[request->queue];
    FIELD(rq, void *, request, q) = FIELD(context, void *, blk_mq_hw_ctx, queue);
    FIELD(rq, void *, request, mq_hctx) = context;
    FIELD(rq, u32, request, cmd_flags) = request->operation;
    FIELD(rq, u32, request, tag) = request->tag;
    FIELD(rq, u32, request, __data_len) = request->bytes;
    FIELD(rq, u64, request, __sector) = request->sector;
    return queue_rq(context, rq, true);
}

static void native_complete(struct block_request *request) {
    void (*complete)(void *rq) = operation(request->set, &lvd_abi_blk_mq_ops_complete);
    if (!complete)
        panic("a driver without a completion function completes a request");
    complete(linux_request(request));
}

static int native_init_hctx(struct disk *disk, u32 queue) {
    void *context = kzalloc(SIZEOF(blk_mq_hw_ctx));
    int (*init)(void *context, void *data, u32 index) = operation(disk->set, &lvd_abi_blk_mq_ops_init_hctx);
    disk->linux_contexts[queue] = context;
    FIELD(context, void *, blk_mq_hw_ctx, queue) = FIELD(disk->linux_disk, void *, gendisk, queue);
    FIELD(context, u32, blk_mq_hw_ctx, queue_num) = queue;
    return init ? init(context, FIELD(disk->set->linux_set, void *, blk_mq_tag_set, driver_data), queue) : 0;
}

static void native_exit_hctx(struct disk *disk, u32 queue) {
    void (*exit)(void *context, u32 index) = operation(disk->set, &lvd_abi_blk_mq_ops_exit_hctx);
    if (disk->linux_contexts[queue] && exit)
        exit(disk->linux_contexts[queue], queue);
    kfree(disk->linux_contexts[queue]);
}

static void native_misbehaved(struct tag_set *set, const char *how) {
    (void)set;
    panic("a driver %s", how);
}

static const struct block_ops native_ops = {
    native_queue_rq, native_complete, native_init_hctx, native_exit_hctx, native_misbehaved,
};

/* A driver that takes bios. */
static u32 native_submit_bio(struct block_request *request) {
    void *bio = linux_request(request), *disk = request->disk->linux_disk;
    void *iterator = FIELD_ADDRESS(bio, bio, bi_iter), *device = (u8 *)bio + SIZEOF(bio);
    void (*submit)(void *bio) = FIELD(FIELD(disk, void *, gendisk, fops), void *, block_device_operations, submit_bio);
    if (!submit)
        panic("a driver takes neither requests nor bios");
    memset(bio, 0, SIZEOF(bio));
    FIELD(device, void *, block_device, bd_disk) = disk;
    FIELD(bio, void *, bio, bi_bdev) = device;
    FIELD(bio, u32, bio, bi_opf) = request->operation;
    FIELD(iterator, u64, bvec_iter, bi_sector) = request->sector;
    FIELD(iterator, u32, bvec_iter, bi_size) = request->bytes;
    request_start(request);
    submit(bio);
    return STATUS_OK;
}
static int nothing(struct disk *disk, u32 queue) {
    (void)disk, (void)queue;
    return 0;
}
static void nothing_at_exit(struct disk *disk, u32 queue) { (void)disk, (void)queue; }
static const struct block_ops native_bio_ops = { native_submit_bio, NULL, nothing, nothing_at_exit, native_misbehaved };

/* -- from the driver to the core --------------------------------------------------------------------------------- */

static struct tag_set *tag_sets;

static struct tag_set *set_of(const void *linux_set) {
    for (struct tag_set *set = tag_sets; set; set = set->next)
        if (set->linux_set == linux_set)
            return set;
    panic("a driver uses a tag set that it has not allocated");
}

static struct disk *disk_of(const void *linux_disk) {
    for (struct disk *disk = disk_next(NULL); disk; disk = disk_next(disk))
        if (disk->linux_disk == linux_disk)
            return disk;
    panic("a driver uses a disk that it has not allocated");
}

int __register_blkdev(u32 major, const char *name, void *probe) {
    static int next = 259;
    (void)name, (void)probe;
    return major ? 0 : --next;
}
void unregister_blkdev(u32 major, const char *name) { (void)major, (void)name; }

int blk_mq_alloc_tag_set(void *linux_set) {
    u32 queues, depth;
    int error = tag_set_prepare(linux_set);
    if (error)
        return error;
    queues = FIELD(linux_set, u32, blk_mq_tag_set, nr_hw_queues);
    depth = FIELD(linux_set, u32, blk_mq_tag_set, queue_depth);
    if (queues > BLOCK_QUEUES || depth > BLOCK_DEPTH) {
        tag_set_release(linux_set);
        return -EINVAL;
    }
    struct tag_set *set = tag_set_create(&native_ops, NULL, queues, depth, SIZEOF(request) + FIELD(linux_set, u32, blk_mq_tag_set, cmd_size));
    u64 map = tag_set_map(linux_set);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        set->queue_of[cpu] = (u8)(map >> 8 * cpu);
        if (set->queue_of[cpu] >= queues)
            panic("a driver maps processor %u to queue %u of %u", cpu, set->queue_of[cpu], queues);
    }
    set->linux_set = linux_set;
    set->next = tag_sets;
    tag_sets = set;
    return 0;
}

void blk_mq_free_tag_set(void *linux_set) {
    struct tag_set *set = set_of(linux_set);
    for (struct tag_set **link = &tag_sets; *link; link = &(*link)->next)
        if (*link == set) {
            *link = set->next;
            break;
        }
    tag_set_release(linux_set);
    if (!tag_set_destroy(set))
        panic("a driver frees a tag set whose disks are there");
}

static struct disk *allocate_disk(struct tag_set *set, void *queue_data, void *mq_ops) {
    struct disk *disk = disk_create(set);
    void *queue = kzalloc(SIZEOF(request_queue));
    disk->linux_disk = kzalloc(SIZEOF(gendisk));
    FIELD(disk->linux_disk, void *, gendisk, queue) = queue;
    FIELD(queue, void *, request_queue, queuedata) = queue_data;
    FIELD(queue, void *, request_queue, mq_ops) = mq_ops;
    queue_default_limits(queue);
    return disk;
}

static void free_disk(struct disk *disk) {
    void *linux_disk = disk->linux_disk;
    if (!disk_destroy(disk))
        panic("a driver frees a disk in use");
    kfree(FIELD(linux_disk, void *, gendisk, queue));
    kfree(linux_disk);
}

void *__blk_mq_alloc_disk(void *linux_set, void *queue_data, void *class) {
    (void)class;
    struct disk *disk = allocate_disk(set_of(linux_set), queue_data, FIELD(linux_set, void *, blk_mq_tag_set, ops));
    int error = disk_start_queues(disk);
    if (!error)
        return disk->linux_disk;
    free_disk(disk);
    return (void *)(s64)error;
}

void *__blk_alloc_disk(int node, void *class) {
    (void)node, (void)class;
    struct disk *disk = allocate_disk(tag_set_create(&native_bio_ops, NULL, 1, BLOCK_BIOS, SIZEOF(bio) + SIZEOF(block_device)), NULL, NULL);
    disk->own_set = true;
    return disk->linux_disk;
}

void set_capacity(void *linux_disk, u64 sectors) { disk_of(linux_disk)->capacity = sectors; }

int device_add_disk(void *parent, void *linux_disk, void *groups) {
    (void)parent, (void)groups;
    struct disk *disk = disk_of(linux_disk);
    void *queue = FIELD(linux_disk, void *, gendisk, queue);
    struct block_limits limits = {
        .capacity = disk->capacity,
        .block_size = LIMIT(queue, logical_block_size),
        .most_sectors = LIMIT(queue, max_hw_sectors),
    };
    memcpy(limits.name, FIELD_ADDRESS(linux_disk, gendisk, disk_name), DISK_NAME);
    return disk_add(disk, &limits);
}

void del_gendisk(void *linux_disk) {
    if (!disk_remove(disk_of(linux_disk)))
        panic("a driver removes a disk that is not there, or in use");
}
void put_disk(void *linux_disk) { free_disk(disk_of(linux_disk)); }

void blk_mq_start_request(void *rq) {
    FIELD(rq, u32, request, state) = ISSUED_STATE;
    if (!request_start(core_request(rq)))
        panic("a driver starts a request that was not issued");
}
void blk_mq_complete_request(void *rq) {
    if (!request_complete(core_request(rq)))
        panic("a driver completes a request that is not under way");
}
void blk_mq_end_request(void *rq, u8 status) {
    if (!request_end(core_request(rq), status))
        panic("a driver ends a request that is not under way");
}
void bio_endio(void *bio) { blk_mq_end_request(bio, FIELD(bio, u8, bio, bi_status)); }

static void stop_queues(void *queue, bool stopped) {
    for (struct disk *disk = disk_next(NULL); disk; disk = disk_next(disk))
        if (disk->linux_disk && FIELD(disk->linux_disk, void *, gendisk, queue) == queue)
            disk->stopped = stopped;
}
void blk_mq_stop_hw_queues(void *queue) { stop_queues(queue, true); }
void blk_mq_start_stopped_hw_queues(void *queue, bool async) {
    (void)async;
    stop_queues(queue, false);
}

static bool never(void *argument) {
    (void)argument;
    return false;
}
void io_schedule(void) {
    wait_for_interrupt(never, NULL);
    softirq_run();
}

/* -- timers ------------------------------------------------------------------------------------------------------ */

/* Of a driver in the kernel: freed when it has run for the last time. */
struct native_timer {
    struct timer timer;
    void *hrtimer;
};

s64 ktime_get(void) { return (s64)ns_of_cycles(read_tsc()); }

static void native_expired(struct work *work) {
    struct native_timer *native = (void *)((u8 *)work - offsetof(struct timer, work));
    void *hrtimer = native->hrtimer;
    int (*function)(void *timer) = FIELD(hrtimer, void *, hrtimer, function);
    *timer_number(hrtimer) = 0;
    if (function(hrtimer) != TIMER_RESTARTS) {
        kfree(native);
        return;
    }
    s64 wait = *timer_expires(hrtimer) - ktime_get();
    *timer_number(hrtimer) = (u64)native;
    timer_start(&native->timer, cycles_of_ns(wait > 0 ? (u64)wait : 0));
}

int hrtimer_cancel(void *hrtimer) {
    struct native_timer *native = (void *)*timer_number(hrtimer);
    if (!native || !timer_cancel(&native->timer))
        return 0;
    *timer_number(hrtimer) = 0;
    kfree(native);
    return 1;
}
bool hrtimer_active(const void *hrtimer) { return *timer_number((void *)hrtimer) != 0; }

void hrtimer_start_range_ns(void *hrtimer, s64 time, u64 range, int mode) {
    (void)range;
    hrtimer_cancel(hrtimer);
    struct native_timer *native = kzalloc(sizeof *native);
    s64 now = ktime_get(), wait = mode & 1 ? time : time - now; /* HRTIMER_MODE_REL */
    native->hrtimer = hrtimer;
    native->timer.work.function = native_expired;
    *timer_expires(hrtimer) = now + wait;
    *timer_number(hrtimer) = (u64)native;
    timer_start(&native->timer, cycles_of_ns(wait > 0 ? (u64)wait : 0));
}

void missing_import(const char *name) { panic("a driver calls %s, which is not here", name); }

/* -- what a driver in the kernel may import ---------------------------------------------------------------------- */

#define TABLE(name) \
    __attribute__((section(".lvd_export"), used)) static const struct lvd_export export_##name = { (u64)&name, #name };
/* By name alone: their types are Linux's. */
#define LISTED(name) extern u8 listed_##name[] __asm__(#name); \
    __attribute__((section(".lvd_export"), used)) static const struct lvd_export export_##name = { (u64)listed_##name, #name };
LINUX_IMPORTS(LISTED)
MISSING_IMPORTS(LISTED)
TABLE(__register_blkdev) TABLE(unregister_blkdev) TABLE(blk_mq_alloc_tag_set) TABLE(blk_mq_free_tag_set) TABLE(__blk_mq_alloc_disk)
TABLE(__blk_alloc_disk) TABLE(set_capacity) TABLE(device_add_disk) TABLE(del_gendisk) TABLE(put_disk) TABLE(blk_mq_start_request)
TABLE(blk_mq_complete_request) TABLE(blk_mq_end_request) TABLE(bio_endio) TABLE(blk_mq_stop_hw_queues)
TABLE(blk_mq_start_stopped_hw_queues) TABLE(io_schedule) TABLE(hrtimer_cancel) TABLE(hrtimer_active) TABLE(hrtimer_start_range_ns)
