/* Application processors: started one by one, then asleep until there is something to run on all of them. */
#include "kernel.h"

enum { AP_STACK_PAGES = 4 };

extern u8 ap_trampoline[], ap_trampoline_end[];

u32 nr_cpu_ids = 1;
u64 ap_stack;
u32 ap_cpu;
static volatile u32 online = 1;
static void (*volatile work)(u32 cpu);
static volatile u32 work_number, work_done;

/* On the application processor, on its own stack. */
void ap_main(u32 cpu) {
    u32 seen = 0;

    write_cr3(kernel_cr3);
    cpu_init(cpu, ap_stack - AP_STACK_PAGES * LVD_PAGE_SIZE);
    apic_init();
    if (launches_early)
        launch_cpu(cpu);
    __sync_fetch_and_add(&online, 1);
    for (;;) {
        interrupts_off();
        while (work_number == seen)
            asm volatile("sti\n\thlt\n\tcli" : : : "memory");
        seen = work_number;
        interrupts_on();
        work(cpu);
        __sync_fetch_and_add(&work_done, 1);
    }
}

void smp_start(u32 cpus) {
    memcpy(direct(LVD_AP_TRAMPOLINE_PHYS), ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    for (u32 cpu = 1; cpu < cpus; cpu++) {
        u64 deadline = read_tsc() + 2000000000;
        ap_cpu = cpu;
        ap_stack = (u64)pages_alloc(AP_STACK_PAGES) + AP_STACK_PAGES * LVD_PAGE_SIZE;
        apic_start(cpu, LVD_AP_TRAMPOLINE_PHYS / LVD_PAGE_SIZE);
        while (online <= cpu)
            if (read_tsc() > deadline)
                finish(LVD_STATUS_BAD_BOOT, "processor %u did not start", cpu);
        nr_cpu_ids = cpu + 1;
    }
}

/* Runs function on every CPU at once and waits for all. */
void smp_run_everywhere(void (*function)(u32 cpu)) {
    work = function;
    work_done = 0;
    __sync_fetch_and_add(&work_number, 1);
    for (u32 cpu = 1; cpu < nr_cpu_ids; cpu++)
        apic_send(cpu, VECTOR_WAKE);
    function(0);
    while (work_done < nr_cpu_ids - 1)
        __builtin_ia32_pause();
}

static spinlock_t call_lock;
static void (*volatile call)(u32 cpu);
static volatile u32 call_due[LVD_MAX_CPUS], call_done;

/* VECTOR_CALL, or this CPU waits for somebody who may be waiting for it. */
void smp_call_here(void) {
    if (!__sync_lock_test_and_set(&call_due[cpu_number()], 0))
        return;
    call(cpu_number());
    __sync_fetch_and_add(&call_done, 1);
}

/* Of locks whose holder may be in smp_call: with interrupts on or off. */
void spin_lock_answering(spinlock_t *lock) {
    while (__sync_lock_test_and_set(&lock->held, 1)) {
        smp_call_here();
        __builtin_ia32_pause();
    }
}

/*
 * Runs function on every CPU, whatever it is doing, and waits for all. A domain that keeps interrupts off delays it until the
 * watchdog ends the domain.
 */
void smp_call(void (*function)(u32 cpu)) {
    spin_lock_answering(&call_lock);
    call = function;
    call_done = 0;
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        if (cpu != cpu_number()) {
            __sync_lock_test_and_set(&call_due[cpu], 1);
            apic_send(cpu, VECTOR_CALL);
        }
    function(cpu_number());
    while (call_done < nr_cpu_ids - 1)
        __builtin_ia32_pause();
    spin_unlock(&call_lock);
}
