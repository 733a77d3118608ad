/*
 * Tag sets, disks and requests. A request goes from issued through started (completed, delivered) to free; each step is one compare and
 * exchange, so a driver that makes a step twice, or one on a request that is not its to make, is told from one that does not.
 */
#include "block.h"
#include "domain.h"

static struct disk *disks;
static spinlock_t disks_lock;

struct tag_set *tag_set_create(const struct block_ops *ops, struct domain *domain, u32 queues, u32 depth, size_t private_bytes) {
    struct tag_set *set = kzalloc(sizeof *set);
    set->ops = ops;
    set->domain = domain;
    set->queues = queues;
    set->depth = depth;
    set->stride = ALIGN_UP(sizeof(struct block_request) + private_bytes, 64);
    for (u32 cpu = 0; cpu < LVD_MAX_CPUS; cpu++)
        set->queue_of[cpu] = (u8)(cpu % queues);
    for (u32 queue = 0; queue < queues; queue++) {
        set->requests[queue] = kzalloc(set->stride * depth);
        for (u32 tag = 0; tag < depth; tag++)
            set->free[queue][tag / 64] |= 1ULL << tag % 64;
    }
    return set;
}

/* False: it is in use. */
bool tag_set_destroy(struct tag_set *set) {
    if (set->disks)
        return false;
    for (u32 queue = 0; queue < set->queues; queue++)
        kfree(set->requests[queue]);
    kfree(set);
    return true;
}

/* NULL: no such queue, no such tag. */
struct block_request *request_at(const struct tag_set *set, u64 queue, u64 tag) {
    if (queue >= set->queues || tag >= set->depth)
        return NULL;
    return (struct block_request *)(set->requests[queue] + tag * set->stride);
}

struct disk *disk_create(struct tag_set *set) {
    struct disk *disk = kzalloc(sizeof *disk);
    disk->set = set;
    disk->driver = set->domain ? set->domain->id : driver_starting;
    __sync_fetch_and_add(&set->disks, 1);
    u64 flags = spin_lock_irqsave(&disks_lock);
    struct disk **link = &disks;
    while (*link)
        link = &(*link)->next;
    *link = disk;
    spin_unlock_irqrestore(&disks_lock, flags);
    return disk;
}

/* Tells the driver of each hardware queue. */
int disk_start_queues(struct disk *disk) {
    for (u32 queue = 0; queue < disk->set->queues; queue++) {
        int error = disk->set->ops->init_hctx(disk, queue);
        if (error)
            return error;
    }
    return 0;
}

int disk_add(struct disk *disk, const struct block_limits *limits) {
    if (disk->added || limits->block_size < SECTOR || limits->block_size > LVD_PAGE_SIZE
        || (limits->block_size & (limits->block_size - 1)) || !limits->most_sectors || limits->capacity >> 48)
        return -EINVAL;
    memcpy(disk->name, limits->name, sizeof disk->name);
    disk->name[DISK_NAME - 1] = 0;
    disk->capacity = limits->capacity;
    disk->block_size = limits->block_size;
    disk->most_sectors = limits->most_sectors;
    disk->added = true;
    return 0;
}

/* False: it is not there, or in use. Linux would wait for its requests; but whose are they to end, if not the caller's? */
bool disk_remove(struct disk *disk) {
    if (!disk->added || disk->users || disk->under_way)
        return false;
    disk->added = false;
    return true;
}

bool disk_destroy(struct disk *disk) {
    if (disk->added || disk->users || disk->under_way)
        return false;
    u64 flags = spin_lock_irqsave(&disks_lock);
    for (struct disk **link = &disks; *link; link = &(*link)->next)
        if (*link == disk) {
            *link = disk->next;
            break;
        }
    spin_unlock_irqrestore(&disks_lock, flags);
    if (!disk->set->domain || !disk->set->domain->dead)
        for (u32 queue = 0; queue < disk->set->queues; queue++)
            disk->set->ops->exit_hctx(disk, queue);
    __sync_fetch_and_sub(&disk->set->disks, 1);
    if (disk->own_set)
        tag_set_destroy(disk->set);
    kfree(disk);
    return true;
}

/* The disk behind that one, or the first, in the order they came. */
struct disk *disk_next(const struct disk *after) { return after ? after->next : disks; }

/* Those that are added, held for the caller. How many. */
u32 disks_of_driver(u32 driver, const struct domain *domain, struct disk **to, u32 most) {
    u64 flags = spin_lock_irqsave(&disks_lock);
    u32 count = 0;
    for (struct disk *disk = disks; disk && count < most; disk = disk->next)
        if (disk->added && disk->driver == driver && disk->set->domain == domain) {
            disk_hold(disk);
            to[count++] = disk;
        }
    spin_unlock_irqrestore(&disks_lock, flags);
    return count;
}

/* NULL: every tag of this CPU's hardware queue is taken, or the disk does not take such a request. */
struct block_request *request_alloc(struct disk *disk, u32 operation, u64 sector, u32 bytes) {
    struct tag_set *set = disk->set;
    u32 queue = set->queue_of[cpu_number()], tag = 0;

    if (!disk->added || disk->stopped || !bytes || bytes % disk->block_size || bytes / SECTOR > disk->most_sectors
        || sector + bytes / SECTOR > disk->capacity)
        return NULL;
    u64 flags = spin_lock_irqsave(&set->lock);
    while (tag < set->depth && !set->free[queue][tag / 64])
        tag += 64;
    if (tag < set->depth) {
        tag += (u32)__builtin_ctzll(set->free[queue][tag / 64]);
        set->free[queue][tag / 64] &= ~(1ULL << tag % 64);
    }
    spin_unlock_irqrestore(&set->lock, flags);
    if (tag >= set->depth)
        return NULL;
    __sync_fetch_and_add(&disk->under_way, 1);
    struct block_request *request = request_at(set, queue, tag);
    request->set = set;
    request->disk = disk;
    request->queue = queue;
    request->tag = tag;
    request->operation = operation;
    request->sector = sector;
    request->bytes = bytes;
    request->holds = 1;
    request->state = REQUEST_FREE;
    return request;
}

static void release(struct block_request *request) {
    struct tag_set *set = request->set;
    struct disk *disk = request->disk;
    if (__sync_sub_and_fetch(&request->holds, 1))
        return;
    u64 flags = spin_lock_irqsave(&set->lock);
    set->free[request->queue][request->tag / 64] |= 1ULL << request->tag % 64;
    spin_unlock_irqrestore(&set->lock, flags);
    __sync_fetch_and_sub(&disk->under_way, 1); /* last: now it may go */
}

/* Hands it to the driver; not STATUS_OK: it was not taken, and is free again. Otherwise done is called, now or later. */
u32 request_issue(struct block_request *request) {
    request->issued = read_tsc();
    request->holds = 2;
    request->state = REQUEST_ISSUED;
    u32 status = request->set->ops->queue_rq(request);
    if (status != STATUS_OK) {
        u32 state = request->state;
        if ((state != REQUEST_ISSUED && state != REQUEST_STARTED) || !__sync_bool_compare_and_swap(&request->state, state, REQUEST_FREE)) {
            request->set->ops->misbehaved(request->set, "refused a request that it has completed");
            status = STATUS_OK;
        } else {
            release(request);
        }
    }
    release(request);
    return status;
}

/* The steps of the driver. False: not with this request, not now. */
bool request_start(struct block_request *request) {
    return __sync_bool_compare_and_swap(&request->state, REQUEST_ISSUED, REQUEST_STARTED);
}

static void deliver(struct block_request *request) {
    request->state = REQUEST_DELIVERED;
    request->set->ops->complete(request);
}

static void deliver_later(struct work *work) {
    deliver((struct block_request *)((u8 *)work - offsetof(struct block_request, work)));
}

/* As in Linux: with one hardware queue the driver's second half runs as deferred work, with several at once. */
bool request_complete(struct block_request *request) {
    if (!__sync_bool_compare_and_swap(&request->state, REQUEST_STARTED, REQUEST_COMPLETED))
        return false;
    if (request->set->queues > 1) {
        deliver(request);
        return true;
    }
    request->work.function = deliver_later;
    request->work.domain = request->set->domain;
    work_add(&request->work);
    return true;
}

bool request_end(struct block_request *request, u32 status) {
    struct disk *disk = request->disk;
    u32 state = request->state;
    if ((state != REQUEST_STARTED && state != REQUEST_DELIVERED)
        || !__sync_bool_compare_and_swap(&request->state, state, REQUEST_FREE))
        return false;
    if (status == STATUS_OK) {
        __sync_fetch_and_add(&disk->count[request->operation], 1);
        __sync_fetch_and_add(&disk->sectors[request->operation], request->bytes / SECTOR);
    } else {
        __sync_fetch_and_add(&disk->errors, 1);
    }
    request->done(request, status);
    release(request);
    return true;
}
