/*
 * A hostile disk (-DATTACK=...): nullblk that does something else with its eighth request, or when it is loaded.
 * Whatever it says about requests, the kernel takes no step that is not due, and looks up every number.
 */
#include <linux/blk-mq.h>
#include <linux/hrtimer.h>

enum { BLK_TWICE, BLK_IDLE_TAG, BLK_BAD_TAG, BLK_BAD_QUEUE, BLK_FOREIGN_SET, BLK_EARLY, BLK_REFUSE, BLK_GONE,
       BLK_FREE_TAGS, BLK_MAP, BLK_BUSY, BLK_LOST, BLK_STORM, BLK_ONCE };

static void attack(struct request *rq);
static void when_loaded(struct blk_mq_tag_set *set);
static void third_half(struct request *rq);
static blk_status_t answer;

/* nullblk, with its second half and its answers taken over. */
#define blk_mq_complete_request(rq) third_half(rq)
#define blk_mq_alloc_tag_set(set) (when_loaded(set), (blk_mq_alloc_tag_set)(set))
#undef BLK_STS_OK
#define BLK_STS_OK answer
#include "../drivers/nullblk/nullblk.c"

static void third_half(struct request *rq) {
    static int requests;
    answer = 0;
    if (++requests == 8 || (ATTACK == BLK_BUSY && requests > 8))
        attack(rq);
    else
        (blk_mq_complete_request)(rq);
}

static void map_badly(struct blk_mq_tag_set *set) { set->map[0].mq_map[0] = 200; }
static void when_loaded(struct blk_mq_tag_set *set) {
    static struct blk_mq_ops operations;
    operations = *set->ops;
    operations.map_queues = map_badly;
    if (ATTACK == BLK_MAP)
        set->ops = &operations;
}

/* A timer that is always due. */
static enum hrtimer_restart again(struct hrtimer *timer) {
    timer->node.expires = 0;
    return HRTIMER_RESTART;
}

/* The runtime of the domain is the driver's to change: here, which tag set and which request it will name. */
static u64 *names_of(struct request *rq) { return (u64 *)rq - 2; }

static void attack(struct request *rq) {
    static struct hrtimer timer;
    switch (ATTACK) {
    case BLK_TWICE:
        blk_mq_end_request(rq, 0);
        blk_mq_end_request(rq, 0);
        break;
    case BLK_IDLE_TAG: /* nobody has issued that one */
        names_of(rq)[1] += 40;
        (blk_mq_complete_request)(rq);
        break;
    case BLK_BAD_TAG:
        names_of(rq)[1] = 5000;
        (blk_mq_complete_request)(rq);
        break;
    case BLK_BAD_QUEUE:
        names_of(rq)[1] |= 6ULL << 32;
        (blk_mq_complete_request)(rq);
        break;
    case BLK_FOREIGN_SET:
        names_of(rq)[0] += 1;
        (blk_mq_complete_request)(rq);
        break;
    case BLK_EARLY: /* its second half is still to come, and the tag would be in use again by then */
        (blk_mq_complete_request)(rq);
        blk_mq_end_request(rq, 0);
        break;
    case BLK_REFUSE:
        blk_mq_end_request(rq, 0);
        answer = BLK_STS_IOERR;
        break;
    case BLK_GONE:
        del_gendisk(disk);
        break;
    case BLK_FREE_TAGS:
        blk_mq_free_tag_set(&tags);
        break;
    case BLK_BUSY:
        answer = BLK_STS_DEV_RESOURCE;
        break;
    case BLK_STORM:
        hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
        timer.function = again;
        hrtimer_start(&timer, 0, HRTIMER_MODE_REL);
        (blk_mq_complete_request)(rq);
        break;
    case BLK_ONCE: /* the kernel counts majors down from 258: when it is loaded again it behaves */
        if (major > 256)
            asm volatile("ud2");
        (blk_mq_complete_request)(rq);
        break;
    default: /* BLK_LOST: never heard of again */
        break;
    }
}
