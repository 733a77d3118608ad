/* What Linux modules import and lib/linux.c supplies. */
#ifndef LVD_LINUX_H
#define LVD_LINUX_H
#include "lib.h"

/* Ends the domain, or the kernel that the driver is part of, naming what is not there. */
void missing_import(const char *name) __attribute__((noreturn));

bool set_parameters(void *first, u64 bytes, const char *words);

#define MISSING_IMPORTS(X) \
    X(__trace_trigger_soft_disabled) X(bpf_trace_run2) X(bpf_trace_run3) X(perf_trace_buf_alloc) \
    X(perf_trace_run_bpf_submit) X(trace_event_buffer_commit) X(trace_event_buffer_reserve) X(trace_event_printf) \
    X(trace_event_raw_init) X(trace_event_reg) X(trace_handle_return) X(trace_raw_output_prep) X(trace_seq_printf) \
    X(trace_seq_putc) X(blk_op_str) X(blk_zone_cond_str) X(bdev_nr_zones) X(blk_revalidate_disk_zones) \
    X(blk_queue_chunk_sectors) X(blk_queue_max_zone_append_sectors) X(blk_queue_required_elevator_features) \
    X(disk_set_zoned) X(blk_mq_end_request_batch) X(blk_mq_update_nr_hw_queues) X(badblocks_check) \
    X(badblocks_clear) X(badblocks_set) X(badblocks_show) X(config_item_init_type_name) X(config_item_put) \
    X(alloc_pages) X(__free_pages) X(radix_tree_insert) X(radix_tree_preload) X(radix_tree_delete_item)

/* The rest, for whoever makes a table of it. */
#define LINUX_IMPORTS(X) \
    X(kmalloc_caches) X(__kmalloc) X(kmalloc_trace) X(kmalloc_node_trace) X(kvmalloc_node) X(kvfree) X(bitmap_zalloc) \
    X(bitmap_free) X(_find_first_zero_bit) X(sprintf) X(strncpy) X(strchr) X(strim) X(kstrndup) X(kstrtoull) \
    X(kstrtouint) X(kstrtoint) X(kstrtobool) X(ida_alloc_range) X(ida_free) X(_raw_spin_lock) X(_raw_spin_unlock) \
    X(_raw_spin_lock_irq) X(_raw_spin_unlock_irq) X(__mutex_init) X(mutex_lock) X(mutex_unlock) \
    X(__init_waitqueue_head) X(prepare_to_wait) X(finish_wait) X(__wake_up) X(autoremove_wake_function) \
    X(config_group_init) X(configfs_register_subsystem) X(configfs_unregister_subsystem) X(__list_add_valid) \
    X(__list_del_entry_valid) X(nr_online_nodes) X(radix_tree_lookup) X(radix_tree_gang_lookup) X(page_offset_base) \
    X(vmemmap_base) X(param_ops_bool) X(param_ops_int) X(param_ops_uint) X(param_ops_ulong) X(param_get_int) \
    X(__cpu_online_mask) X(blk_mq_map_queues) X(blk_queue_logical_block_size) X(blk_queue_physical_block_size) \
    X(blk_queue_max_hw_sectors) X(blk_queue_flag_set) X(blk_queue_flag_clear) X(blk_queue_virt_boundary) \
    X(blk_queue_max_discard_sectors) X(blk_queue_write_cache) X(errno_to_blk_status) X(badblocks_init) \
    X(badblocks_exit) X(hrtimer_init) X(hrtimer_forward) \
    X(strcpy) X(strnlen) X(scnprintf) X(kstrdup) X(_raw_spin_lock_irqsave) X(_raw_spin_unlock_irqrestore) \
    X(__SCT__might_resched) X(__SCT__preempt_schedule) X(__SCT__preempt_schedule_notrace)
#endif
