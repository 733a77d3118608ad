/* Multi-queue block devices. Our own layout; code outside drivers reaches the fields through lvd/abi.h. */
#ifndef _LINUX_BLK_MQ_H
#define _LINUX_BLK_MQ_H
#include <linux/errno.h>
#include <linux/types.h>

typedef u8 blk_status_t;
typedef u64 sector_t;
#define BLK_STS_OK 0
#define BLK_STS_RESOURCE 9
#define BLK_STS_IOERR 10
#define BLK_STS_DEV_RESOURCE 13
#define REQ_OP_READ 0
#define REQ_OP_WRITE 1
#define REQ_OP_FLUSH 2
#define REQ_OP_MASK 0xffu
#define SECTOR_SHIFT 9

struct request;
struct request_queue;
struct gendisk;
struct bio;
struct blk_mq_hw_ctx {
    struct request_queue *queue;
    void *driver_data;
    unsigned int queue_num;
};
struct blk_mq_queue_data {
    struct request *rq;
    bool last;
};
struct blk_mq_queue_map {
    unsigned int *mq_map;
    unsigned int nr_queues, queue_offset;
};
struct blk_mq_tag_set;
struct blk_mq_ops {
    blk_status_t (*queue_rq)(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *data);
    void (*complete)(struct request *rq);
    int (*init_hctx)(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index);
    void (*exit_hctx)(struct blk_mq_hw_ctx *hctx, unsigned int index);
    void (*map_queues)(struct blk_mq_tag_set *set);
};
struct blk_mq_tag_set {
    const struct blk_mq_ops *ops;
    struct blk_mq_queue_map map[3];
    unsigned int nr_maps, nr_hw_queues, queue_depth, cmd_size;
    void *driver_data;
};
struct queue_limits { unsigned int max_hw_sectors, logical_block_size, physical_block_size; };
struct request_queue {
    void *queuedata;
    const struct blk_mq_ops *mq_ops;
    unsigned long queue_flags;
    struct queue_limits limits;
};
struct block_device { struct gendisk *bd_disk; };
struct block_device_operations { void (*submit_bio)(struct bio *bio); };
struct gendisk {
    int major, first_minor;
    char disk_name[32];
    const struct block_device_operations *fops;
    struct request_queue *queue;
    void *private_data;
};
struct request {
    struct request_queue *q;
    struct blk_mq_hw_ctx *mq_hctx;
    unsigned int cmd_flags;
    int tag;
    unsigned int __data_len;
    sector_t __sector;
    struct bio *bio;
    unsigned int state;
};
struct bvec_iter { sector_t bi_sector; unsigned int bi_size; };
struct bio {
    struct block_device *bi_bdev;
    unsigned int bi_opf;
    blk_status_t bi_status;
    struct bvec_iter bi_iter;
};
struct badblocks { int shift; };

static inline void *blk_mq_rq_to_pdu(struct request *rq) { return rq + 1; }
static inline sector_t blk_rq_pos(const struct request *rq) { return rq->__sector; }
static inline unsigned int blk_rq_bytes(const struct request *rq) { return rq->__data_len; }
static inline unsigned int req_op(const struct request *rq) { return rq->cmd_flags & REQ_OP_MASK; }

int __register_blkdev(unsigned int major, const char *name, void (*probe)(unsigned int device));
void unregister_blkdev(unsigned int major, const char *name);
int blk_mq_alloc_tag_set(struct blk_mq_tag_set *set);
void blk_mq_free_tag_set(struct blk_mq_tag_set *set);
struct gendisk *__blk_mq_alloc_disk(struct blk_mq_tag_set *set, void *queuedata, void *lock_class);
int device_add_disk(void *parent, struct gendisk *disk, const void **groups);
void del_gendisk(struct gendisk *disk);
void put_disk(struct gendisk *disk);
void set_capacity(struct gendisk *disk, sector_t sectors);
void blk_queue_logical_block_size(struct request_queue *queue, unsigned int bytes);
void blk_queue_physical_block_size(struct request_queue *queue, unsigned int bytes);
void blk_queue_max_hw_sectors(struct request_queue *queue, unsigned int sectors);
void blk_mq_start_request(struct request *rq);
void blk_mq_complete_request(struct request *rq);
void blk_mq_end_request(struct request *rq, blk_status_t status);
static inline bool IS_ERR(const void *pointer) { return (unsigned long)pointer >= (unsigned long)-4095; }
static inline long PTR_ERR(const void *pointer) { return (long)pointer; }
#endif
