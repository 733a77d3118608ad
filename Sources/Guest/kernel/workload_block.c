/*
 * blk:N[:depth=D,size=S,writes=P]: every driver's disks get N requests of S bytes, P in a hundred of them writes; each CPU issues its
 * part and keeps up to D under way, one request a driver in turn, so that domains alternate on every CPU.
 */
#include "block.h"
#include "domain.h"
#include "network.h"
#include "threads.h"
#include "workload.h"

enum { MOST_DEPTH = 64, MOST_DISKS = 16, STUCK_CYCLES = 100000000 };

/* One request's place: its payload in the pool that the driver sees. */
struct place {
    struct stream *stream;
    u64 payload;
    volatile u32 busy;
};

/* One CPU's part of one driver's requests. Whatever a driver does, a request is counted where it was issued. */
struct stream {
    u64 left, issued;
    volatile u64 finished;
    volatile u32 under_way;
    u32 cpu;
    struct target *target;
    struct place places[MOST_DEPTH];
};

static struct target {
    struct disk *disks[MOST_DISKS];
    u32 disk_count;
    struct domain *domain;
    struct payload_pool *pool;
    volatile u32 issuers; /* CPUs that have not left it yet */
    struct stream streams[LVD_MAX_CPUS];
} targets[LVD_MAX_DOMAINS];
static u32 depth, size, writes;

static u32 target_id(const struct target *target) { return (u32)(target - targets); }
static struct lvd_driver_results *results_of(const struct target *target) { return &lvd_results.drivers[target_id(target)]; }

static void attach(struct target *target) {
    u32 id = target_id(target);
    target->domain = domains[id];
    target->disk_count = disks_of_driver(id, target->domain, target->disks, MOST_DISKS);
    if (!target->disk_count)
        finish(LVD_STATUS_DRIVER, "%s registered no disk", results_of(target)->name);
    target->pool = target->domain ? &target->domain->pool : kernel_payload_pool();
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        struct stream *stream = &target->streams[cpu];
        *stream = (struct stream){ .cpu = cpu, .target = target };
        for (u32 n = 0; n < depth; n++) {
            u8 *payload = pool_take(target->pool, size);
            if (!payload)
                finish(LVD_STATUS_BAD_BOOT, "the payload pool does not hold %u requests of %u bytes on each CPU", depth, size);
            stream->places[n] = (struct place){ stream, (u64)(payload - target->pool->base), 0 };
        }
    }
}

static void detach(struct target *target) {
    for (u32 n = 0; n < target->disk_count; n++)
        disk_release(target->disks[n]);
    target->disk_count = 0;
}

static void done(struct block_request *request, u32 status) {
    struct place *place = request->owner;
    struct stream *stream = place->stream;
    if (status == STATUS_OK) {
        __sync_fetch_and_add(&lvd_results.per_cpu[stream->cpu].completed, 1);
        __sync_fetch_and_add(&results_of(stream->target)->completed, 1);
    }
    __sync_lock_release(&place->busy);
    __sync_fetch_and_sub(&stream->under_way, 1);
    __sync_fetch_and_add(&stream->finished, 1);
}

/* Whether a request went out. */
static bool issue(struct stream *stream) {
    struct target *target = stream->target;
    struct disk *disk = target->disks[stream->issued % target->disk_count];
    struct place *place = stream->places;
    u64 blocks = disk->capacity / (size / SECTOR), number = stream->issued * nr_cpu_ids + stream->cpu;

    if (!stream->left || !blocks)
        return false;
    while (place < &stream->places[depth] && place->busy)
        place++;
    if (place == &stream->places[depth])
        return false;
    struct block_request *request = request_alloc(disk, number % 100 < writes ? BLOCK_WRITE : BLOCK_READ,
                                                  number % blocks * (size / SECTOR), size);
    if (!request)
        return false;
    request->payload = place->payload;
    request->owner = place;
    request->done = done;
    *(u64 *)(target->pool->base + place->payload) = number;
    place->busy = 1;
    __sync_fetch_and_add(&stream->under_way, 1);
    u32 status = request_issue(request);
    if (status == STATUS_RESOURCE || status == STATUS_DEV_RESOURCE || status != STATUS_OK) { /* not taken */
        place->busy = 0;
        __sync_fetch_and_sub(&stream->under_way, 1);
        if (status == STATUS_RESOURCE || status == STATUS_DEV_RESOURCE)
            return false; /* later */
        __sync_fetch_and_add(&disk->errors, 1);
    }
    stream->left--;
    stream->issued++;
    return true;
}

/* As in workload.c: the last one to leave a dead domain loads its driver again and issues what has not been completed. */
static bool leave(struct target *target, u32 cpu) {
    struct lvd_driver_results *results = results_of(target);
    if (__sync_sub_and_fetch(&target->issuers, 1) || !target->domain || !target->domain->dead
        || results->restarts >= workload.restarts_max)
        return false;
    detach(target);
    print("domain %u: loading %s again\n", target_id(target), results->name);
    int error = driver_restart(target_id(target));
    if (error)
        finish(LVD_STATUS_DRIVER, "init_module of %s returned %d when loaded again", results->name, error);
    attach(target);
    target->issuers = 1;
    target->streams[cpu].left = results->requested - results->completed;
    return target->streams[cpu].left || leave(target, cpu);
}

/* What a waiting CPU looks at. */
struct progress { u32 cpu; u64 finished; };
static u64 finished_on(u32 cpu) {
    u64 finished = 0;
    for (u32 n = 0; n < lvd_results.driver_count; n++)
        finished += targets[n].streams[cpu].finished;
    return finished;
}
static bool has_progressed(void *argument) {
    const struct progress *progress = argument;
    return finished_on(progress->cpu) != progress->finished;
}

static void issue_all(u32 cpu) {
    bool gone[LVD_MAX_DOMAINS] = { false }, any = true;
    struct progress progress = { cpu, 0 };
    ticks_start(workload.timer_cycles);
    interrupts_on();
    u64 start = read_tsc(), last = start;

    while (any) {
        bool issued = false;
        u32 under_way = 0;
        any = false;
        progress.finished = finished_on(cpu);
        for (u32 n = 0; n < lvd_results.driver_count; n++) {
            struct stream *stream = &targets[n].streams[cpu];
            if (gone[n])
                continue;
            bool dead = targets[n].domain && targets[n].domain->dead;
            if (!dead && issue(stream)) {
                issued = any = true;
                continue;
            }
            if (dead || (!stream->left && !stream->under_way) || read_tsc() - last > STUCK_CYCLES) {
                gone[n] = !leave(&targets[n], cpu);
                any |= !gone[n];
                continue;
            }
            any = true;
            under_way += stream->under_way;
        }
        softirq_run();
        if (issued || has_progressed(&progress))
            last = read_tsc();
        else if (any && under_way)
            wait_for_interrupt(has_progressed, &progress);
        else if (any)
            __builtin_ia32_pause(); /* others have all the tags */
    }
    lvd_results.per_cpu[cpu].cycles = read_tsc() - start;
    ticks_stop();
}

static void read_statistics(struct target *target) {
    for (u32 n = 0; n < target->disk_count; n++) {
        const struct disk *disk = target->disks[n];
        u64 sectors = disk->sectors[BLOCK_READ] + disk->sectors[BLOCK_WRITE];
        print("%s: %llu reads, %llu writes, %llu sectors, %llu errors\n", disk->name, disk->count[BLOCK_READ],
              disk->count[BLOCK_WRITE], sectors, disk->errors);
        results_of(target)->tx_packets += disk->count[BLOCK_READ] + disk->count[BLOCK_WRITE];
        results_of(target)->tx_bytes += sectors * SECTOR;
    }
    lvd_results.tx_packets += results_of(target)->tx_packets;
    lvd_results.tx_bytes += results_of(target)->tx_bytes;
}

void run_block_workload(void) {
    if (preemption_full) /* deferred work belongs to a CPU, and a thread may leave it in the middle of a call */
        finish(LVD_STATUS_BAD_BOOT, "blk: not with full preemption");
    depth = (u32)workload_option("depth", 1);
    size = (u32)workload_option("size", SECTOR);
    writes = (u32)workload_option("writes", 0);
    if (!depth || depth > MOST_DEPTH || !size || size % SECTOR || size > 1 << 16 || writes > 100)
        finish(LVD_STATUS_BAD_BOOT, "blk: depth 1 to %u, size a multiple of %u up to 65536, writes 0 to 100", (u32)MOST_DEPTH, (u32)SECTOR);
    for (u32 n = 0; n < lvd_results.driver_count; n++) {
        struct target *target = &targets[n];
        attach(target);
        for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
            target->streams[cpu].left = workload.count / nr_cpu_ids + (cpu < workload.count % nr_cpu_ids);
        target->issuers = nr_cpu_ids;
        results_of(target)->requested = workload.count;
        lvd_results.requested += workload.count;
        print("%s: %llu requests of %u bytes, %u at a time on %u CPU%s\n", target->disks[0]->name, workload.count, size, depth, nr_cpu_ids,
              nr_cpu_ids == 1 ? "" : "s");
    }
    smp_run_everywhere(issue_all);
    for (u32 n = 0; n < lvd_results.driver_count; n++) {
        read_statistics(&targets[n]);
        detach(&targets[n]);
    }
}
