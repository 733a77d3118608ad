/* The fields of Linux structures on the block path, for lvd/abi.h. */
#ifndef LVD_ABI_BLOCK_H
#define LVD_ABI_BLOCK_H

#define LVD_ABI_BLOCK_FIELDS(X)                                                                                 \
    X(blk_mq_tag_set, map) X(blk_mq_tag_set, nr_maps) X(blk_mq_tag_set, ops) X(blk_mq_tag_set, nr_hw_queues)    \
    X(blk_mq_tag_set, queue_depth) X(blk_mq_tag_set, cmd_size) X(blk_mq_tag_set, driver_data)                   \
    X(blk_mq_queue_map, mq_map) X(blk_mq_queue_map, nr_queues) X(blk_mq_queue_map, queue_offset)                \
    X(blk_mq_ops, queue_rq) X(blk_mq_ops, complete) X(blk_mq_ops, init_hctx) X(blk_mq_ops, exit_hctx)           \
    X(blk_mq_ops, map_queues)                                                                                   \
    X(request_queue, queuedata) X(request_queue, mq_ops) X(request_queue, queue_flags)                          \
    X(request_queue, limits)                                                                                    \
    X(queue_limits, max_hw_sectors) X(queue_limits, logical_block_size) X(queue_limits, physical_block_size)    \
    X(gendisk, queue) X(gendisk, major) X(gendisk, first_minor) X(gendisk, fops) X(gendisk, private_data)       \
    X(gendisk, disk_name)                                                                                       \
    X(block_device, bd_disk) X(block_device_operations, submit_bio)                                             \
    X(request, q) X(request, mq_hctx) X(request, cmd_flags) X(request, __data_len) X(request, __sector)         \
    X(request, tag) X(request, bio) X(request, state)                                                           \
    X(blk_mq_hw_ctx, queue) X(blk_mq_hw_ctx, driver_data) X(blk_mq_hw_ctx, queue_num)                           \
    X(blk_mq_queue_data, rq) X(blk_mq_queue_data, last)                                                         \
    X(bio, bi_iter) X(bio, bi_bdev) X(bio, bi_opf) X(bio, bi_status)                                            \
    X(bvec_iter, bi_sector) X(bvec_iter, bi_size)                                                               \
    X(hrtimer, node) X(hrtimer, function) X(hrtimer, base) X(timerqueue_node, expires)                          \
    X(hrtimer_clock_base, get_time)                                                                             \
    X(badblocks, shift)                                                                                         \
    X(kernel_param, name) X(kernel_param, ops) X(kernel_param, arg) X(kernel_param_ops, set)

#define LVD_ABI_BLOCK_SIZES(S)                                                                                  \
    S(blk_mq_queue_map) S(request_queue) S(gendisk) S(block_device) S(request) S(blk_mq_hw_ctx)                 \
    S(blk_mq_queue_data) S(bio) S(hrtimer) S(kernel_param)
#endif
