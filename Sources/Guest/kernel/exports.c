/* What a driver that runs in the kernel itself (native run) may import: the table that the loader links against. */
#include "network.h"

extern u8 __fentry__[], __SCT__cond_resched[], __x86_return_thunk[];
extern u8 down_write[], up_write[], skb_clone_tx_timestamp[], skb_tstamp_tx[], ethtool_op_get_ts_info[];
extern u8 pernet_ops_rwsem[], __cpu_possible_mask[];

int _printk(const char *format, ...) {
    char line[256];
    __builtin_va_list arguments;
    if (format[0] == 1 && format[1]) /* KERN_SOH and a level */
        format += 2;
    __builtin_va_start(arguments, format);
    int length = format_text(line, sizeof line, format, arguments);
    __builtin_va_end(arguments);
    console_write(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
    return length;
}

void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp) {
    (void)gfp;
    return percpu_alloc(size, align);
}
void free_percpu(void *pointer) { (void)pointer; }
void __stack_chk_fail(void) { panic("a driver overran its stack frame"); }

#define TABLE(section_name) __attribute__((section(section_name), used)) static const struct lvd_export
#define EXPORT(symbol) TABLE(".lvd_export") export_##symbol = { (u64)symbol, #symbol };
#define EXPORT_OBJECT(symbol) TABLE(".lvd_export") export_##symbol = { (u64)&symbol, #symbol };
#define EXPORT_VALUE(symbol, value) TABLE(".lvd_export") export_##symbol = { value, #symbol };

EXPORT(memcpy) EXPORT(memset) EXPORT(memmove) EXPORT(memcmp) EXPORT(strlen) EXPORT(strcmp) EXPORT(strncmp) EXPORT(strscpy)
EXPORT(snprintf) EXPORT(_find_next_bit) EXPORT(_printk) EXPORT(kfree)
EXPORT(__alloc_percpu_gfp) EXPORT(free_percpu) EXPORT(__stack_chk_fail)
EXPORT(__fentry__) EXPORT(__SCT__cond_resched) EXPORT(__x86_return_thunk)
EXPORT(down_write) EXPORT(up_write) EXPORT(pernet_ops_rwsem) EXPORT(__cpu_possible_mask)
EXPORT_OBJECT(nr_cpu_ids)
EXPORT_VALUE(this_cpu_off, LVD_PERCPU_THIS_CPU_OFF)
EXPORT_VALUE(cpu_number, LVD_PERCPU_CPU_NUMBER)
EXPORT_VALUE(current_task, LVD_PERCPU_CURRENT)
EXPORT_VALUE(__preempt_count, LVD_PERCPU_PREEMPT_COUNT)

EXPORT(rtnl_lock) EXPORT(rtnl_unlock) EXPORT(__rtnl_link_register) EXPORT(__rtnl_link_unregister) EXPORT(rtnl_link_unregister)
EXPORT(alloc_netdev_mqs) EXPORT(free_netdev) EXPORT(register_netdevice) EXPORT(unregister_netdevice_queue)
EXPORT(netif_carrier_on) EXPORT(netif_carrier_off) EXPORT(get_random_bytes)
EXPORT(ether_setup) EXPORT(eth_validate_addr) EXPORT(eth_mac_addr) EXPORT(dev_addr_mod) EXPORT(dev_lstats_read)
EXPORT(consume_skb) EXPORT(skb_clone_tx_timestamp) EXPORT(skb_tstamp_tx) EXPORT(ethtool_op_get_ts_info)

#define THUNK(register) \
    extern u8 __x86_indirect_thunk_##register[]; \
    EXPORT(__x86_indirect_thunk_##register)
THUNK(rax) THUNK(rbx) THUNK(rcx) THUNK(rdx) THUNK(rsi) THUNK(rdi) THUNK(rbp) THUNK(r8)
THUNK(r9) THUNK(r10) THUNK(r11) THUNK(r12) THUNK(r13) THUNK(r14) THUNK(r15)

/* What a domain may name: the springboard, and the rest of what it has at the kernel's addresses. */
extern u8 vmfunc_springboard_entry[], vmfunc_springboard_return[], vmfunc_trampoline[], entry_irq[], entry_nmi[], entry_exception[];
#define SHARED(symbol) TABLE(".lvd_shared_export") shared_##symbol = { (u64)&symbol, #symbol };
SHARED(vmfunc_springboard_entry) SHARED(vmfunc_springboard_return) SHARED(vmfunc_trampoline)
SHARED(entry_irq) SHARED(entry_nmi) SHARED(entry_exception)
SHARED(vmfunc_state_page) SHARED(idt_table) SHARED(lvd_gdt_pages) SHARED(lvd_tss_pages) SHARED(lvd_ist_stacks)
