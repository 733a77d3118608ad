/*
 * Glue for the block path, kernel side: the operations of an isolated driver, and what it may ask for. It names its tag sets and
 * disks by reference and a request by hardware queue and tag; every number is looked up, and every step of a request is one that the
 * core grants (block.c). An answer of false ends the domain.
 */
#include "../lib/block_message.h"
#include "block.h"
#include "domain.h"
#include "network.h"

struct call {
    struct lvd_message message;
    struct slots slots;
    struct domain *domain;
};

static void call_begin(struct call *call, struct domain *domain, enum lvd_domain_rpc number, u64 token) {
    call->domain = domain;
    call->message.words[0] = rpc_word(LVD_CLASS_RPC, number);
    call->message.words[1] = 0;
    call->slots = slots_begin(&call->message, domain->register_page[cpu_number()]);
    pack(&call->slots, token);
}

static int call_domain(struct call *call) {
    int error = vmfunc_klcd_wrapper(call->domain, &call->message);
    call->slots = slots_open(&call->message, call->domain->register_page[cpu_number()]);
    return error;
}

enum { MOST_TAG_SETS = 16 };

/* -- kernel to domain -------------------------------------------------------------------------------------------- */

static u32 send_request(struct block_request *request, enum lvd_domain_rpc number) {
    struct call call;
    call_begin(&call, request->set->domain, number, request->disk->token);
    pack(&call.slots, request_id(request->queue, request->tag));
    pack(&call.slots, request->sector);
    pack(&call.slots, request->bytes | (u64)request->operation << 32);
    pack(&call.slots, request->payload);
    return call_domain(&call) ? STATUS_OK : (u32)unpack(&call.slots); /* a dead domain never ends it: block_forget_domain does */
}

static u32 isolated_queue_rq(struct block_request *request) { return send_request(request, LVD_RPC_BLK_QUEUE_RQ); }

static u32 isolated_submit_bio(struct block_request *request) {
    request_start(request);
    send_request(request, LVD_RPC_BLK_SUBMIT_BIO);
    return STATUS_OK;
}

static void isolated_complete(struct block_request *request) {
    struct call call;
    call_begin(&call, request->set->domain, LVD_RPC_BLK_COMPLETE, request->disk->token);
    pack(&call.slots, request_id(request->queue, request->tag));
    call_domain(&call);
}

static int hctx_call(struct disk *disk, u32 queue, enum lvd_domain_rpc number) {
    struct call call;
    call_begin(&call, disk->set->domain, number, disk->token);
    pack(&call.slots, queue);
    int error = call_domain(&call);
    return error ? error : (int)unpack(&call.slots);
}
static int isolated_init_hctx(struct disk *disk, u32 queue) { return hctx_call(disk, queue, LVD_RPC_BLK_INIT_HCTX); }
static void isolated_exit_hctx(struct disk *disk, u32 queue) { hctx_call(disk, queue, LVD_RPC_BLK_EXIT_HCTX); }
static void isolated_misbehaved(struct tag_set *set, const char *how) {
    print("domain %u: the driver %s\n", set->domain->id, how);
    domain_answered_badly(set->domain, rpc_word(LVD_CLASS_RPC, LVD_CALL_END_REQUEST));
}

static const struct block_ops isolated_ops = {
    isolated_queue_rq, isolated_complete, isolated_init_hctx, isolated_exit_hctx, isolated_misbehaved,
};
static int no_init(struct disk *disk, u32 queue) {
    (void)disk, (void)queue;
    return 0;
}
static void no_exit(struct disk *disk, u32 queue) { (void)disk, (void)queue; }
static const struct block_ops isolated_bio_ops = { isolated_submit_bio, NULL, no_init, no_exit, isolated_misbehaved };

/* -- domain to kernel: each returns false for a request that no honest driver makes ------------------------------ */

typedef bool handler(struct domain *domain, struct slots *in, struct slots *out);

static bool call_register_blkdev(struct domain *domain, struct slots *in, struct slots *out) {
    u64 major = unpack(in);
    (void)domain;
    pack(out, (u64)(s64)__register_blkdev((u32)major, NULL, NULL));
    return true;
}

static bool call_unregister_blkdev(struct domain *domain, struct slots *in, struct slots *out) {
    (void)domain, (void)in, (void)out;
    return true;
}

static bool call_alloc_tag_set(struct domain *domain, struct slots *in, struct slots *out) {
    u64 size = unpack(in), map = unpack(in);
    u32 queues = (u32)size, depth = (u32)(size >> 32);
    if (in->broken || !queues || queues > BLOCK_QUEUES || !depth || depth > BLOCK_DEPTH)
        return false;
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        if ((u8)(map >> 8 * cpu) >= queues)
            return false;
    u32 sets = 0;
    for (u64 n = 0; (n = reference_next(domain, REFERENCE_TAG_SET, n));)
        sets++;
    if (sets >= MOST_TAG_SETS) { /* they are the kernel's memory */
        pack(out, (u64)-ENOMEM);
        return true;
    }
    struct tag_set *set = tag_set_create(&isolated_ops, domain, queues, depth, 0);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        set->queue_of[cpu] = (u8)(map >> 8 * cpu);
    set->reference = reference_new(domain, REFERENCE_TAG_SET, set);
    pack(out, set->reference ? 0 : (u64)-ENOMEM);
    pack(out, set->reference);
    if (!set->reference)
        tag_set_destroy(set);
    return true;
}

static bool call_free_tag_set(struct domain *domain, struct slots *in, struct slots *out) {
    u64 reference = unpack(in);
    struct tag_set *set = reference_get(domain, reference, REFERENCE_TAG_SET);
    (void)out;
    if (!set || !tag_set_destroy(set))
        return false;
    reference_drop(domain, reference);
    return true;
}

/* Reference 0: the driver takes bios, and has no tags. */
static bool call_alloc_disk(struct domain *domain, struct slots *in, struct slots *out) {
    u64 reference = unpack(in), token = unpack(in);
    struct tag_set *set = reference ? reference_get(domain, reference, REFERENCE_TAG_SET)
                                    : tag_set_create(&isolated_bio_ops, domain, 1, BLOCK_BIOS, 0);
    if (!set)
        return false;
    struct disk *disk = disk_create(set);
    disk->own_set = !reference;
    disk->token = token;
    disk->reference = reference_new(domain, REFERENCE_DISK, disk);
    disk_hold(disk); /* the driver is asked about a disk that it may not take away meanwhile */
    int error = disk->reference ? disk_start_queues(disk) : -ENOMEM;
    disk_release(disk);
    if (domain->dead)
        return false;
    pack(out, (u64)(s64)error);
    pack(out, disk->reference);
    if (error) {
        if (disk->reference)
            reference_drop(domain, disk->reference);
        disk_destroy(disk);
    }
    return true;
}

static bool call_add_disk(struct domain *domain, struct slots *in, struct slots *out) {
    struct disk *disk = reference_get(domain, unpack(in), REFERENCE_DISK);
    struct block_limits limits = { .capacity = unpack(in) };
    u64 sizes = unpack(in), name[DISK_NAME / 8] = { 0 };
    for (u32 n = 0; n < NAME_WORDS; n++)
        name[n] = unpack(in);
    if (!disk || in->broken)
        return false;
    limits.block_size = (u32)sizes;
    limits.most_sectors = (u32)(sizes >> 32);
    memcpy(limits.name, name, sizeof limits.name);
    pack(out, (u64)(s64)disk_add(disk, &limits));
    return true;
}

static bool call_del_disk(struct domain *domain, struct slots *in, struct slots *out) {
    struct disk *disk = reference_get(domain, unpack(in), REFERENCE_DISK);
    (void)out;
    return disk && disk_remove(disk);
}

static bool call_put_disk(struct domain *domain, struct slots *in, struct slots *out) {
    u64 reference = unpack(in);
    struct disk *disk = reference_get(domain, reference, REFERENCE_DISK);
    (void)out;
    if (!disk || disk->added || disk->users || disk->under_way)
        return false;
    reference_drop(domain, reference); /* first: the driver is told of each queue's end, and may not find the disk then */
    disk_destroy(disk);
    return true;
}

static struct block_request *request_of(struct domain *domain, struct slots *in) {
    struct tag_set *set = reference_get(domain, unpack(in), REFERENCE_TAG_SET);
    u64 id = unpack(in);
    return set ? request_at(set, id_queue(id), id_tag(id)) : NULL;
}

static bool call_start_request(struct domain *domain, struct slots *in, struct slots *out) {
    struct block_request *request = request_of(domain, in);
    (void)out;
    return request && request_start(request);
}

static bool call_complete_request(struct domain *domain, struct slots *in, struct slots *out) {
    struct block_request *request = request_of(domain, in);
    (void)out;
    return request && request_complete(request);
}

static bool call_end_request(struct domain *domain, struct slots *in, struct slots *out) {
    struct block_request *request = request_of(domain, in);
    u64 status = unpack(in);
    (void)out;
    return request && !in->broken && request_end(request, (u8)status);
}

static bool call_bio_endio(struct domain *domain, struct slots *in, struct slots *out) {
    struct disk *disk = reference_get(domain, unpack(in), REFERENCE_DISK);
    u64 id = unpack(in), status = unpack(in);
    struct block_request *request = disk && disk->own_set ? request_at(disk->set, id_queue(id), id_tag(id)) : NULL;
    (void)out;
    return request && !in->broken && request_end(request, (u8)status);
}

static bool stop_queues(struct domain *domain, struct slots *in, bool stopped) {
    struct disk *disk = reference_get(domain, unpack(in), REFERENCE_DISK);
    if (disk)
        disk->stopped = stopped;
    return disk != NULL;
}
static bool call_stop_queues(struct domain *domain, struct slots *in, struct slots *out) {
    (void)out;
    return stop_queues(domain, in, true);
}
static bool call_start_queues(struct domain *domain, struct slots *in, struct slots *out) {
    (void)out;
    return stop_queues(domain, in, false);
}

static bool is_dead(void *domain) { return ((struct domain *)domain)->dead; }

/* The driver waits: for a completion, most likely. With interrupts off nobody could wait. */
static bool call_io_schedule(struct domain *domain, struct slots *in, struct slots *out) {
    (void)in, (void)out;
    u64 flags;
    asm volatile("pushfq\n\tpopq %0" : "=r"(flags));
    if (!(flags & 0x200))
        return false;
    wait_for_interrupt(is_dead, domain);
    softirq_run();
    return true;
}

/* -- timers of an isolated driver -------------------------------------------------------------------------------- */

enum { TIMERS = 512, SHORTEST_NS = 5000 /* so that no driver keeps a CPU busy with its timers alone */ };

struct isolated_timer {
    struct timer timer;
    u64 token;
    u32 used, next_free;
};
struct isolated_timers {
    spinlock_t lock;
    u32 first_free;
    struct isolated_timer all[TIMERS];
};

static void timer_free(struct isolated_timers *timers, struct isolated_timer *timer) {
    u64 flags = spin_lock_irqsave(&timers->lock);
    timer->used = 0;
    timer->next_free = timers->first_free;
    timers->first_free = (u32)(timer - timers->all);
    spin_unlock_irqrestore(&timers->lock, flags);
}

static u64 timer_cycles(u64 ns) { return cycles_of_ns(ns < SHORTEST_NS ? SHORTEST_NS : ns > 1ULL << 40 ? 1ULL << 40 : ns); }

/* Its function returns whether, and in how many nanoseconds, it wants to run again. */
static void isolated_expired(struct work *work) {
    struct isolated_timer *timer = (void *)((u8 *)work - offsetof(struct timer, work));
    struct domain *domain = work->domain;
    struct isolated_timers *timers = domain->timers;
    struct call call;
    call_begin(&call, domain, LVD_RPC_TIMER_EXPIRED, timer->token);
    pack(&call.slots, (u64)(timer - timers->all));
    if (call_domain(&call))
        return;
    u64 again = unpack(&call.slots), ns = unpack(&call.slots);
    if (again)
        timer_start(&timer->timer, timer_cycles(ns));
    else
        timer_free(timers, timer);
}

static struct isolated_timers *timers_of(struct domain *domain) {
    u64 flags = spin_lock_irqsave(&domain->lock);
    struct isolated_timers *timers = domain->timers;
    if (!timers) {
        domain->timers = timers = kzalloc(sizeof *timers);
        for (u32 n = TIMERS - 1; n; n--) { /* 0 is no timer */
            timers->all[n].next_free = timers->first_free;
            timers->first_free = n;
        }
    }
    spin_unlock_irqrestore(&domain->lock, flags);
    return timers;
}

static bool call_timer_start(struct domain *domain, struct slots *in, struct slots *out) {
    u64 token = unpack(in), ns = unpack(in);
    struct isolated_timers *timers = timers_of(domain);
    u64 flags = spin_lock_irqsave(&timers->lock);
    u32 number = timers->first_free;
    struct isolated_timer *timer = &timers->all[number];
    if (number) {
        timers->first_free = timer->next_free;
        timer->used = 1;
    }
    spin_unlock_irqrestore(&timers->lock, flags);
    pack(out, number);
    if (!number)
        return true;
    timer->token = token;
    timer->timer.work = (struct work){ NULL, isolated_expired, domain };
    timer_start(&timer->timer, timer_cycles(ns));
    return true;
}

/* 1: it will not run. 0: it has, or is about to. */
static bool call_timer_cancel(struct domain *domain, struct slots *in, struct slots *out) {
    struct isolated_timers *timers = timers_of(domain);
    u64 number = unpack(in);
    if (!number || number >= TIMERS)
        return false;
    bool found = timers->all[number].used && timer_cancel(&timers->all[number].timer);
    if (found)
        timer_free(timers, &timers->all[number]);
    pack(out, found);
    return true;
}

bool block_call(u32 number, struct domain *domain, struct slots *in, struct slots *out) {
    static handler *const handlers[LVD_KERNEL_RPC_COUNT] = {
        [LVD_CALL_REGISTER_BLKDEV] = call_register_blkdev,
        [LVD_CALL_UNREGISTER_BLKDEV] = call_unregister_blkdev,
        [LVD_CALL_ALLOC_TAG_SET] = call_alloc_tag_set,
        [LVD_CALL_FREE_TAG_SET] = call_free_tag_set,
        [LVD_CALL_ALLOC_DISK] = call_alloc_disk,
        [LVD_CALL_ADD_DISK] = call_add_disk,
        [LVD_CALL_DEL_DISK] = call_del_disk,
        [LVD_CALL_PUT_DISK] = call_put_disk,
        [LVD_CALL_START_REQUEST] = call_start_request,
        [LVD_CALL_COMPLETE_REQUEST] = call_complete_request,
        [LVD_CALL_END_REQUEST] = call_end_request,
        [LVD_CALL_BIO_ENDIO] = call_bio_endio,
        [LVD_CALL_STOP_QUEUES] = call_stop_queues,
        [LVD_CALL_START_QUEUES] = call_start_queues,
        [LVD_CALL_IO_SCHEDULE] = call_io_schedule,
        [LVD_CALL_TIMER_START] = call_timer_start,
        [LVD_CALL_TIMER_CANCEL] = call_timer_cancel,
    };
    return handlers[number](domain, in, out);
}

/* The domain is dead, or its driver has been told to go, and no thread is inside: what it left goes without asking it. */
void block_forget_domain(struct domain *domain) {
    softirq_forget_domain(domain);
    for (u64 n = 0; (n = reference_next(domain, REFERENCE_DISK, n));) {
        struct disk *disk = reference_get(domain, n, REFERENCE_DISK);
        if (disk) {
            reference_drop(domain, n);
            disk->added = false;
            disk->users = disk->under_way = 0;
            disk_destroy(disk);
        }
    }
    for (u64 n = 0; (n = reference_next(domain, REFERENCE_TAG_SET, n));) {
        struct tag_set *set = reference_get(domain, n, REFERENCE_TAG_SET);
        if (set) {
            reference_drop(domain, n);
            tag_set_destroy(set);
        }
    }
    kfree(domain->timers);
    domain->timers = NULL;
}
