/* Workloads: what the kernel does with the driver once it is there. */
#include "domain.h"
#include "network.h"

enum { PACKET_BYTES = 64, TIMER_CYCLES = 100000 /* 26 kHz on the paper's machine */ };

static u64 packets;
static u64 timer_cycles;
static void *device;

/* This CPU's share of the packets. */
static void transmit(u32 cpu) {
    struct lvd_cpu_results *mine = &lvd_results.per_cpu[cpu];
    int (*xmit)(void *skb, void *dev) = netdev_operation(device, &lvd_abi_net_device_ops_ndo_start_xmit);
    u64 share = packets / nr_cpu_ids + (cpu < packets % nr_cpu_ids), start;

    if (timer_cycles)
        apic_timer(VECTOR_TIMER, timer_cycles);
    interrupts_on();
    start = read_tsc();
    while (mine->completed < share) {
        void *skb = alloc_skb(PACKET_BYTES);
        if (!skb)
            break;
        FIELD(skb, void *, sk_buff, dev) = device;
        *FIELD(skb, u64 *, sk_buff, data) = mine->completed;
        int error = xmit(skb, device);
        if (error > 0) /* busy: the packet is still ours */
            consume_skb(skb);
        if (error)
            break;
        mine->completed++;
    }
    mine->cycles = read_tsc() - start;
    if (timer_cycles)
        apic_timer(VECTOR_TIMER, 0);
}

static void read_statistics(void) {
    void (*get)(void *dev, void *stats) = netdev_operation(device, &lvd_abi_net_device_ops_ndo_get_stats64);
    void *stats = kzalloc(SIZEOF(rtnl_link_stats64));
    if (get)
        get(device, stats);
    lvd_results.tx_packets = FIELD(stats, u64, rtnl_link_stats64, tx_packets);
    lvd_results.tx_bytes = FIELD(stats, u64, rtnl_link_stats64, tx_bytes);
    kfree(stats);
}

void run_workload(const char *name, u64 count) {
    struct netdev *netdev = netdev_first_registered();
    if (strcmp(name, "tx"))
        finish(LVD_STATUS_BAD_BOOT, "no workload is called \"%s\"", name);
    if (!netdev)
        finish(LVD_STATUS_DRIVER, "the driver registered no network device");
    device = netdev->dev;
    if (!netdev_operation(device, &lvd_abi_net_device_ops_ndo_start_xmit))
        finish(LVD_STATUS_DRIVER, "%s cannot transmit: it has no ndo_start_xmit", (char *)FIELD_ADDRESS(device, net_device, name));
    netdev_hold(netdev);
    packets = count;
    timer_cycles = TIMER_CYCLES;
    option_number(boot_command, "timer", &timer_cycles);
    apic_calibrate_timer();

    print("%s: transmitting %llu packets on %u CPU%s\n", (char *)FIELD_ADDRESS(device, net_device, name), count, nr_cpu_ids,
          nr_cpu_ids == 1 ? "" : "s");
    lvd_results.requested = count;
    smp_run_everywhere(transmit);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        lvd_results.completed += lvd_results.per_cpu[cpu].completed;
        if (lvd_results.per_cpu[cpu].cycles > lvd_results.cycles)
            lvd_results.cycles = lvd_results.per_cpu[cpu].cycles;
    }
    read_statistics();
    netdev_put(netdev);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        const struct lvd_cpu_results *one = &lvd_results.per_cpu[cpu];
        print("CPU %u: %llu packets, %llu calls, %llu callbacks, %llu interrupts (%llu in the domain)\n", cpu, one->completed, one->calls,
              one->callbacks, one->interrupts, one->interrupts_inside);
    }
}
