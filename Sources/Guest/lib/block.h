/* Functions of the block layer that only touch what they are given: the same in the kernel and in a domain. */
#ifndef LVD_BLOCK_H
#define LVD_BLOCK_H
#include "lib.h"
#include <lvd/abi.h>

extern u32 nr_cpu_ids;

enum { QUEUE_MAP_TYPES = 3, DEFAULT_MOST_SECTORS = 255, ISSUED_STATE = 1 };

#define LIMIT(queue, field) FIELD(FIELD_ADDRESS(queue, request_queue, limits), u32, queue_limits, field)

/* Linux's private data of a request is behind it. */
static inline void *request_private(void *rq) { return (u8 *)rq + SIZEOF(request); }

int tag_set_prepare(void *set);
void tag_set_release(void *set);
u64 tag_set_map(void *set);
void queue_default_limits(void *queue);
void blk_mq_map_queues(void *map);
u32 queue_rq(void *context, void *rq, bool last);
#endif
