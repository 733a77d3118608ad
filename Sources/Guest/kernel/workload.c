/*
 * Workloads: what the kernel does with the drivers once they are there. tx:N: every driver's device gets the same number of packets; each
 * CPU sends its part of each, one packet a device in turn, so that domains alternate on every CPU.
 */
#include "domain.h"
#include "extended.h"
#include "threads.h"
#include "network.h"
#include "process.h"
#include "workload.h"

enum { PACKET_BYTES = 64 };

struct workload workload;

/* A driver's device. */
static struct target {
    struct netdev *netdev;
    u64 left[LVD_MAX_CPUS];  /* still to be sent by each sender: a CPU, or a thread under full preemption */
    volatile u32 senders;    /* CPUs that have not left it yet */
} targets[LVD_MAX_DOMAINS];
static u32 target_count;
static u64 kept; /* the device is one that leaves packets to the sender */
static u64 extended_use;

static u32 target_id(const struct target *target) { return (u32)(target - targets); }
static struct lvd_driver_results *results_of(const struct target *target) { return &lvd_results.drivers[target_id(target)]; }

/* The device that a driver has registered; a driver in the kernel is known by its order only. */
static struct netdev *device_of_driver(u32 id) {
    u32 n = 0;
    struct netdev *entry = NULL, *newest_first[16];
    while ((entry = netdev_next(entry)) && n < ARRAY_SIZE(newest_first)) {
        if (entry->domain && entry->domain == domains[id])
            return entry;
        newest_first[n++] = entry;
    }
    return !domains[id] && id < n ? newest_first[n - 1 - id] : NULL;
}

static void attach(struct target *target) {
    target->netdev = device_of_driver(target_id(target));
    if (!target->netdev)
        finish(LVD_STATUS_DRIVER, "%s registered no network device", results_of(target)->name);
    if (!netdev_operation(target->netdev->dev, &lvd_abi_net_device_ops_ndo_start_xmit))
        finish(LVD_STATUS_DRIVER, "%s cannot transmit: it has no ndo_start_xmit",
               (char *)FIELD_ADDRESS(target->netdev->dev, net_device, name));
    netdev_hold(target->netdev);
}

/* Not 0: the device does not take it, now or ever. */
static int send(struct target *target, u64 number) {
    void *dev = target->netdev->dev, *skb = alloc_skb(target->netdev, PACKET_BYTES);
    int (*xmit)(void *skb, void *dev) = netdev_operation(dev, &lvd_abi_net_device_ops_ndo_start_xmit);
    int error;

    if (!skb)
        return -ENOMEM;
    FIELD(skb, void *, sk_buff, dev) = dev;
    *FIELD(skb, u64 *, sk_buff, data) = number;
    error = xmit(skb, dev);
    if (error > 0) { /* busy: the packet is still ours */
        consume_skb(skb);
        return kept ? 0 : error;
    }
    return error;
}

/* As a thread does that computes in XMM registers itself: they must be what they were when the driver has returned. */
static int send_using_extended(struct target *target, u64 number) {
    u64 value = (u64)targets + number; /* an address of the kernel's, for who would see it */
    int error;
    extended_fill(value);
    current()->uses_extended = 1;
    error = send(target, number);
    if (!extended_holds(value))
        panic("extended state did not survive a call");
    current()->uses_extended = 0;
    extended_restore(&extended_initial);
    __sync_fetch_and_add(&lvd_counters.extended_checks, 1);
    return error;
}

/*
 * A CPU is done with a target, or its domain has died. The last one to leave a dead one loads the driver again and sends what is left.
 * The other CPUs go on with theirs meanwhile. True: this CPU has something to send through it again.
 */
static bool leave(struct target *target, u32 cpu) {
    struct domain *domain = target->netdev->domain;
    if (__sync_sub_and_fetch(&target->senders, 1) || !domain || !domain->dead || results_of(target)->restarts >= workload.restarts_max)
        return false;
    u64 rest = 0;
    for (u32 other = 0; other < LVD_MAX_CPUS; other++) {
        rest += target->left[other];
        target->left[other] = 0;
    }
    netdev_put(target->netdev);
    target->netdev = NULL;
    print("domain %u: loading %s again\n", target_id(target), results_of(target)->name);
    current()->pinned++;
    int error = driver_restart(target_id(target));
    current()->pinned--;
    if (error)
        finish(LVD_STATUS_DRIVER, "init_module of %s returned %d when loaded again", results_of(target)->name, error);
    attach(target);
    target->senders = 1;
    target->left[cpu] = rest;
    return rest || leave(target, cpu);
}

static void transmit(u32 cpu) {
    struct lvd_cpu_results *mine = &lvd_results.per_cpu[cpu];
    bool gone[LVD_MAX_DOMAINS] = { false }, any = true;
    u64 start;

    if (workload.timer_cycles && !preemption_full)
        apic_timer(VECTOR_TIMER, workload.timer_cycles);
    interrupts_on();
    start = read_tsc();
    while (any) {
        any = false;
        for (u32 n = 0; n < target_count; n++) {
            struct target *target = &targets[n];
            if (gone[n])
                continue;
            bool extended = extended_use && mine->completed % extended_use == 0;
            if (process_count && target->left[cpu])
                processes_turn(cpu);
            if (target->left[cpu] && !(extended ? send_using_extended : send)(target, mine->completed)) {
                if (process_count)
                    processes_packet_is_sent(cpu);
                mine->completed++;
                __sync_fetch_and_add(&results_of(target)->completed, 1);
                if (--target->left[cpu]) {
                    any = true;
                    continue;
                }
            }
            gone[n] = !leave(target, cpu);
            any |= !gone[n];
        }
    }
    mine->cycles = read_tsc() - start;
    if (process_count)
        processes_end(cpu);
    if (workload.timer_cycles && !preemption_full)
        apic_timer(VECTOR_TIMER, 0);
}

/* Full preemption: the timer belongs to the CPU, not to the thread. */
static void transmit_by_threads(u32 cpu) {
    if (workload.timer_cycles)
        apic_timer(VECTOR_TIMER, workload.timer_cycles);
    threads_run(cpu);
    if (workload.timer_cycles)
        apic_timer(VECTOR_TIMER, 0);
}

static void read_statistics(struct target *target) {
    void *dev = target->netdev->dev, *stats = kzalloc(SIZEOF(rtnl_link_stats64));
    void (*get)(void *dev, void *stats) = netdev_operation(dev, &lvd_abi_net_device_ops_ndo_get_stats64);
    if (get) {
        /* Whoever asks may hold a lock against interrupts: the driver must leave them off (A8). */
        u64 flags = interrupts_save();
        get(dev, stats);
        interrupts_restore(flags);
    }
    results_of(target)->tx_packets = FIELD(stats, u64, rtnl_link_stats64, tx_packets);
    results_of(target)->tx_bytes = FIELD(stats, u64, rtnl_link_stats64, tx_bytes);
    lvd_results.tx_packets += results_of(target)->tx_packets;
    lvd_results.tx_bytes += results_of(target)->tx_bytes;
    kfree(stats);
}

static void run_network_workload(void) {
    u64 count = workload.count;
    u32 senders = nr_cpu_ids * (preemption_full ? 2 : 1);
    if (senders > LVD_MAX_CPUS)
        senders = LVD_MAX_CPUS;
    option_number(boot_command, "extended-use", &extended_use);
    if (extended_use && extended_mode == EXTENDED_NONE)
        finish(LVD_STATUS_BAD_BOOT, "extended-use: nobody may use extended state here");
    kept = workload_option("kept", 0);
    processes_read_options();
    target_count = lvd_results.driver_count;
    for (u32 n = 0; n < target_count; n++) {
        struct target *target = &targets[n];
        attach(target);
        for (u32 sender = 0; sender < senders; sender++)
            target->left[sender] = count / senders + (sender < count % senders);
        target->senders = senders;
        results_of(target)->requested = count;
        lvd_results.requested += count;
        print("%s: transmitting %llu packets on %u CPU%s\n", (char *)FIELD_ADDRESS(target->netdev->dev, net_device, name), count,
              nr_cpu_ids, nr_cpu_ids == 1 ? "" : "s");
    }
    workload.blocks_kept = heap_blocks_in_use();
    if (preemption_full)
        threads_create(senders, transmit);
    workload.blocks_kept = heap_blocks_in_use() - workload.blocks_kept;
    smp_run_everywhere(preemption_full ? transmit_by_threads : transmit);
    if (preemption_full)
        threads_end();
    if (workload.timer_cycles)
        apic_timer(VECTOR_TIMER, workload.timer_cycles);
    for (u32 n = 0; n < target_count; n++) {
        read_statistics(&targets[n]);
        netdev_put(targets[n].netdev);
    }
    if (workload.timer_cycles)
        apic_timer(VECTOR_TIMER, 0);
}

/* module:N: each driver is unloaded and loaded again, N times, with ticks arriving. */
void run_module_workload(void) {
    u64 start = read_tsc(), before = pages_in_use();
    lvd_results.requested = workload.count * lvd_results.driver_count;
    if (workload.timer_cycles)
        apic_timer(VECTOR_TIMER, workload.timer_cycles);
    interrupts_on();
    for (u32 id = 0; id < lvd_results.driver_count; id++)
        lvd_results.drivers[id].requested = workload.count;
    for (u64 n = 0; n < workload.count; n++)
        for (u32 id = 0; id < lvd_results.driver_count; id++) {
            int error = driver_reload(id);
            if (error)
                finish(LVD_STATUS_DRIVER, "init_module of %s returned %d when loaded again", lvd_results.drivers[id].name, error);
            lvd_results.drivers[id].completed++;
            lvd_results.per_cpu[0].completed++;
        }
    lvd_results.per_cpu[0].cycles = read_tsc() - start;
    if (workload.timer_cycles)
        apic_timer(VECTOR_TIMER, 0);
    print("pages in use: %llu before, %llu after\n", before, (u64)pages_in_use());
}

/* KEY=VALUE among the comma-separated options, or value. */
u64 workload_option(const char *key, u64 value) {
    size_t length = strlen(key);
    for (const char *at = workload.options; *at;) {
        if (!strncmp(at, key, length) && at[length] == '=') {
            value = 0;
            for (at += length + 1; *at >= '0' && *at <= '9'; at++)
                value = value * 10 + (u64)(*at - '0');
        }
        while (*at && *at != ',')
            at++;
        at += *at == ',';
    }
    return value;
}

void run_workload(void) {
    static const struct { const char *name, *operation; void (*run)(void); } known[] = {
        { "tx", "packet", run_network_workload },
        { "blk", "request", run_block_workload },
        { "module", "reload", run_module_workload },
    };
    void (*run)(void) = NULL;
    for (u32 n = 0; n < ARRAY_SIZE(known); n++)
        if (!strcmp(workload.name, known[n].name)) {
            run = known[n].run;
            workload.operation = known[n].operation;
        }
    if (!run)
        finish(LVD_STATUS_BAD_BOOT, "no workload is called \"%s\"", workload.name);
    workload.timer_cycles = TIMER_CYCLES;
    option_number(boot_command, "timer", &workload.timer_cycles);
    option_number(boot_command, "restart", &workload.restarts_max);
    run();
    for (u32 sender = 0; sender < LVD_MAX_CPUS; sender++) {
        const struct lvd_cpu_results *one = &lvd_results.per_cpu[sender];
        lvd_results.completed += one->completed;
        if (one->cycles > lvd_results.cycles)
            lvd_results.cycles = one->cycles;
    }
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        const struct lvd_cpu_results *one = &lvd_results.per_cpu[cpu];
        print("CPU %u: %llu %ss, %llu calls, %llu callbacks, %llu interrupts (%llu in the domain)\n", cpu, one->completed,
              workload.operation, one->calls, one->callbacks, one->interrupts, one->interrupts_inside);
    }
}
