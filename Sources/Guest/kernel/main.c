/* kernel.elf from its first C function to the end of the run. */
#include "domain.h"
#include "extended.h"
#include "threads.h"
#include "workload.h"

extern u8 boot_stack[], __bss_end[];

static const struct boot_module *module_of(const char *kind) {
    for (u32 i = 0; i < boot_module_count; i++)
        if (module_is(&boot_modules[i], kind))
            return &boot_modules[i];
    return NULL;
}

static void memory_start(void) {
    if (memory_end < 0x2000000)
        finish(LVD_STATUS_BAD_BOOT, "at least 32 MiB of memory are needed");
    pages_init(memory_end, physical(__bss_end));
    pages_reserve(LVD_MONITOR_PHYS, LVD_MONITOR_PHYS_END);
    for (u32 i = 0; i < boot_module_count; i++) {
        if (boot_modules[i].end > LVD_MONITOR_PHYS && boot_modules[i].start < LVD_MONITOR_PHYS_END)
            finish(LVD_STATUS_BAD_BOOT, "module %u lies in the monitor's memory", i);
        pages_reserve(boot_modules[i].start, boot_modules[i].end);
    }
    paging_init();
    kernel_heap_init();
}

static u64 number_or(const char *key, u64 value) {
    option_number(boot_command, key, &value);
    return value;
}

/* "workload=blk:1000:depth=4": name, count, options. */
static void read_workload(void) {
    char text[96], number[40];
    char *count = text, *options;
    workload.count = 1000;
    strscpy(workload.name, "tx", sizeof workload.name);
    if (!option_text(boot_command, "workload", text, sizeof text))
        return;
    while (*count && *count != ':')
        count++;
    if (*count) {
        *count++ = 0;
        for (options = count; *options && *options != ':'; options++)
            ;
        if (*options) {
            *options++ = 0;
            strscpy(workload.options, options, sizeof workload.options);
        }
        snprintf(number, sizeof number, "n=%s", count);
        option_number(number, "n", &workload.count);
    }
    strscpy(workload.name, text, sizeof workload.name);
}

void kernel_main(u64 information) {
    const struct boot_module *monitor;
    u64 cpus, heap_blocks;
    const char *failed = "";
    bool ended = false; /* a domain was terminated and not loaded again */
    int error = 0;

    console_init();
    multiboot_read(information);
    memory_start();
    cpus = number_or("cpus", 1);
    if (cpus < 1 || cpus > LVD_MAX_CPUS)
        finish(LVD_STATUS_BAD_BOOT, "cpus=%llu: 1 to %u", cpus, LVD_MAX_CPUS);
    kernel_random.x = number_or("seed", 1);
    extended_mode = (enum extended_mode)number_or("extended", EXTENDED_LAZY);
    cpu_init(0, (u64)boot_stack);
    apic_init();
    apic_calibrate_timer(); /* natively: no monitor shows the timer's current count when it posts interrupts */
    monitor = module_of("monitor");
    launches_early = number_or("launch", 0) != 0;
    if (monitor)
        launch_prepare(monitor, (u32)cpus);
    if (monitor && launches_early)
        launch_cpu(0);
    network_init();
    cspace_begin(&kernel_space, NULL);
    read_workload();
    smp_start((u32)cpus);
    lvd_results.cpus = nr_cpu_ids;
    print("kernel: %llu MiB, %u CPU%s\n", memory_end >> 20, nr_cpu_ids, nr_cpu_ids == 1 ? "" : "s");

    if (monitor && !launches_early)
        smp_run_everywhere(launch_cpu);
    if (monitor)
        launch_check();
    lvd_results.isolated = monitor != NULL;
    heap_blocks = heap_blocks_in_use();
    drivers_load();

    for (u32 id = 0; id < lvd_results.driver_count; id++) {
        error = driver_start(id);
        if (error) {
            failed = lvd_results.drivers[id].name;
            break;
        }
    }
    preemption_full = number_or("preemption", 0) != 0;
    if (!error)
        run_workload();
    for (u32 id = 0; id < lvd_results.driver_count; id++)
        driver_stop(id);
    if (monitor)
        capabilities_check(heap_blocks + workload.blocks_kept);
    if (monitor && number_or("promote", 0))
        promote_kernel();
    for (u32 id = 0; id < lvd_results.driver_count; id++)
        ended |= lvd_results.drivers[id].kills > lvd_results.drivers[id].restarts;
    if (ended)
        finish(LVD_STATUS_KILLED, "the domain was terminated (cause %u)", lvd_results.kill.cause);
    if (error)
        finish(LVD_STATUS_DRIVER, "init_module of %s returned %d", failed, error);
    if (lvd_results.completed != lvd_results.requested)
        finish(LVD_STATUS_INCOMPLETE, "%llu of %llu operations", lvd_results.completed, lvd_results.requested);
    finish(LVD_STATUS_OK, "%llu %ss, %llu counted, %llu bytes, %llu cycles per %s", lvd_results.completed, workload.operation,
           lvd_results.tx_packets, lvd_results.tx_bytes, lvd_results.completed ? lvd_results.cycles / lvd_results.completed : 0,
           workload.operation);
}
