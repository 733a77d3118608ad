#include "block.h"

/* CPUs to the queues of one type, in turn. */
void blk_mq_map_queues(void *map) {
    u32 *queue_of = FIELD(map, u32 *, blk_mq_queue_map, mq_map);
    u32 queues = FIELD(map, u32, blk_mq_queue_map, nr_queues), first = FIELD(map, u32, blk_mq_queue_map, queue_offset);
    for (u32 cpu = 0; queues && cpu < nr_cpu_ids; cpu++)
        queue_of[cpu] = first + cpu % queues;
}

static void *map_of(void *set, u32 type) {
    return (u8 *)FIELD_ADDRESS(set, blk_mq_tag_set, map) + type * SIZEOF(blk_mq_queue_map);
}

/* What comes before the kernel hears of a tag set: limits, and the maps from CPU to queue. */
int tag_set_prepare(void *set) {
    void *ops = FIELD(set, void *, blk_mq_tag_set, ops);
    void (*map_queues)(void *set);

    if (!ops || !FIELD(ops, void *, blk_mq_ops, queue_rq) || !FIELD(set, u32, blk_mq_tag_set, nr_hw_queues)
        || !FIELD(set, u32, blk_mq_tag_set, queue_depth))
        return -EINVAL;
    if (!FIELD(set, u32, blk_mq_tag_set, nr_maps))
        FIELD(set, u32, blk_mq_tag_set, nr_maps) = 1;
    if (FIELD(set, u32, blk_mq_tag_set, nr_maps) > QUEUE_MAP_TYPES)
        return -EINVAL;
    if (FIELD(set, u32, blk_mq_tag_set, nr_maps) == 1 && FIELD(set, u32, blk_mq_tag_set, nr_hw_queues) > nr_cpu_ids)
        FIELD(set, u32, blk_mq_tag_set, nr_hw_queues) = nr_cpu_ids;
    for (u32 type = 0; type < FIELD(set, u32, blk_mq_tag_set, nr_maps); type++) {
        u32 *map = kzalloc(LVD_MAX_CPUS * sizeof *map);
        if (!map)
            return -ENOMEM;
        FIELD(map_of(set, type), u32 *, blk_mq_queue_map, mq_map) = map;
        FIELD(map_of(set, type), u32, blk_mq_queue_map, nr_queues) = type ? 0 : FIELD(set, u32, blk_mq_tag_set, nr_hw_queues);
    }
    map_queues = FIELD(ops, void *, blk_mq_ops, map_queues);
    if (map_queues)
        map_queues(set);
    else
        blk_mq_map_queues(map_of(set, 0));
    return 0;
}

void tag_set_release(void *set) {
    for (u32 type = 0; type < FIELD(set, u32, blk_mq_tag_set, nr_maps) && type < QUEUE_MAP_TYPES; type++) {
        kfree(FIELD(map_of(set, type), u32 *, blk_mq_queue_map, mq_map));
        FIELD(map_of(set, type), u32 *, blk_mq_queue_map, mq_map) = NULL;
    }
}

/* The hardware queue of each CPU, a byte each. */
u64 tag_set_map(void *set) {
    const u32 *map = FIELD(map_of(set, 0), u32 *, blk_mq_queue_map, mq_map);
    u64 bytes = 0;
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        bytes |= (u64)(map[cpu] < 255 ? map[cpu] : 255) << 8 * cpu;
    return bytes;
}

/* -- limits and flags of a queue --------------------------------------------------------------------------------- */

void queue_default_limits(void *queue) {
    LIMIT(queue, max_hw_sectors) = DEFAULT_MOST_SECTORS;
    LIMIT(queue, logical_block_size) = 512;
    LIMIT(queue, physical_block_size) = 512;
}

void blk_queue_logical_block_size(void *queue, u32 size) {
    LIMIT(queue, logical_block_size) = size;
    if (LIMIT(queue, physical_block_size) < size)
        LIMIT(queue, physical_block_size) = size;
}
void blk_queue_physical_block_size(void *queue, u32 size) { LIMIT(queue, physical_block_size) = size; }
void blk_queue_max_hw_sectors(void *queue, u32 sectors) { LIMIT(queue, max_hw_sectors) = sectors; }
void blk_queue_flag_set(u32 flag, void *queue) { FIELD(queue, u64, request_queue, queue_flags) |= 1ULL << flag; }
void blk_queue_flag_clear(u32 flag, void *queue) { FIELD(queue, u64, request_queue, queue_flags) &= ~(1ULL << flag); }

/* What the kernel makes no use of: it sends whole blocks, reads and writes, in one piece each. */
void blk_queue_virt_boundary(void *queue, u64 mask) { (void)queue, (void)mask; }
void blk_queue_max_discard_sectors(void *queue, u32 sectors) { (void)queue, (void)sectors; }
void blk_queue_write_cache(void *queue, bool cache, bool fua) { (void)queue, (void)cache, (void)fua; }

u8 errno_to_blk_status(int error) {
    switch (error) {
    case 0: return 0;
    case -EOPNOTSUPP: return 1;
    case -ENOSPC: return 3;
    case -ENOMEM: return 9;
    default: return 10;
    }
}

int badblocks_init(void *badblocks, int enable) {
    (void)enable; /* -1: none are kept */
    FIELD(badblocks, int, badblocks, shift) = -1;
    return 0;
}
void badblocks_exit(void *badblocks) { (void)badblocks; }

/* One request to the driver's queue_rq. */
u32 queue_rq(void *context, void *rq, bool last) {
    u64 data[8] = { 0 };
    void *ops = FIELD(FIELD(rq, void *, request, q), void *, request_queue, mq_ops);
    u8 (*function)(void *context, const void *data) = FIELD(ops, void *, blk_mq_ops, queue_rq);
    FIELD(data, void *, blk_mq_queue_data, rq) = rq;
    FIELD(data, bool, blk_mq_queue_data, last) = last;
    return function(context, data);
}
