/*
 * nullblk: the disk of the LVD paper's second benchmark. It completes what it is given: at once, by deferred work, or when a timer
 * has run off, as its parameter irqmode says.
 */
#include <linux/blk-mq.h>
#include <linux/hrtimer.h>
#include <linux/module.h>

enum { IRQ_NONE, IRQ_SOFTIRQ, IRQ_TIMER, BLOCK_SIZE = 512, MEGABYTE_SECTORS = 2048 };

static int irqmode = IRQ_SOFTIRQ;
static unsigned int submit_queues = 1, hw_queue_depth = 64, megabytes = 1024;
static unsigned long completion_nsec = 10000;
module_param(irqmode, int, 0444);
MODULE_PARM_DESC(irqmode, "Completion: 0 at once, 1 deferred, 2 timer");
module_param(submit_queues, uint, 0444);
module_param(hw_queue_depth, uint, 0444);
module_param(megabytes, uint, 0444);
module_param(completion_nsec, ulong, 0444);

struct nullblk_command {
    struct request *rq;
    struct hrtimer timer;
};

static struct blk_mq_tag_set tags;
static struct gendisk *disk;
static int major;
static unsigned int queues_ready;

static enum hrtimer_restart nullblk_timer(struct hrtimer *timer) {
    struct nullblk_command *command = (void *)((char *)timer - offsetof(struct nullblk_command, timer));
    blk_mq_end_request(command->rq, BLK_STS_OK);
    return HRTIMER_NORESTART;
}

static blk_status_t nullblk_queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *data) {
    struct nullblk_command *command = blk_mq_rq_to_pdu(data->rq);
    (void)hctx;
    command->rq = data->rq;
    blk_mq_start_request(data->rq);
    switch (irqmode) {
    case IRQ_NONE:
        blk_mq_end_request(data->rq, BLK_STS_OK);
        break;
    case IRQ_SOFTIRQ:
        blk_mq_complete_request(data->rq);
        break;
    default:
        hrtimer_init(&command->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
        command->timer.function = nullblk_timer;
        hrtimer_start(&command->timer, (ktime_t)completion_nsec, HRTIMER_MODE_REL);
    }
    return BLK_STS_OK;
}

static void nullblk_complete(struct request *rq) {
    blk_mq_end_request(rq, BLK_STS_OK);
}

static int nullblk_init_hctx(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index) {
    (void)data, (void)index;
    hctx->driver_data = &tags;
    queues_ready++;
    return 0;
}

static void nullblk_exit_hctx(struct blk_mq_hw_ctx *hctx, unsigned int index) {
    (void)hctx, (void)index;
    queues_ready--;
}

static const struct blk_mq_ops nullblk_ops = {
    .queue_rq = nullblk_queue_rq,
    .complete = nullblk_complete,
    .init_hctx = nullblk_init_hctx,
    .exit_hctx = nullblk_exit_hctx,
};

static const struct block_device_operations nullblk_disk_ops;

static int __init nullblk_start(void) {
    static const char name[] = "nullblk0";
    int error;

    major = __register_blkdev(0, "nullblk", NULL);
    if (major < 0)
        return major;
    tags.ops = &nullblk_ops;
    tags.nr_hw_queues = submit_queues;
    tags.queue_depth = hw_queue_depth;
    tags.cmd_size = sizeof(struct nullblk_command);
    error = blk_mq_alloc_tag_set(&tags);
    if (error)
        goto no_tags;
    disk = __blk_mq_alloc_disk(&tags, NULL, NULL);
    if (IS_ERR(disk)) {
        error = (int)PTR_ERR(disk);
        goto no_disk;
    }
    error = -EINVAL;
    if (queues_ready != tags.nr_hw_queues)
        goto no_queues;
    blk_queue_logical_block_size(disk->queue, BLOCK_SIZE);
    set_capacity(disk, (sector_t)megabytes * MEGABYTE_SECTORS);
    disk->major = major;
    disk->fops = &nullblk_disk_ops;
    for (unsigned int n = 0; n < sizeof name; n++)
        disk->disk_name[n] = name[n];
    error = device_add_disk(NULL, disk, NULL);
    if (!error)
        return 0;
no_queues:
    put_disk(disk);
no_disk:
    blk_mq_free_tag_set(&tags);
no_tags:
    unregister_blkdev((unsigned int)major, "nullblk");
    return error;
}

static void __exit nullblk_stop(void) {
    del_gendisk(disk);
    put_disk(disk);
    blk_mq_free_tag_set(&tags);
    unregister_blkdev((unsigned int)major, "nullblk");
}

module_init(nullblk_start);
module_exit(nullblk_stop);
MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Disk that completes what it is given");
DEFINE_MODULE("nullblk");
