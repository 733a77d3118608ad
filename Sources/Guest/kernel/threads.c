/*
 * Threads of the workload under full preemption (4.7): the timer may switch away from a thread that it finds inside a domain. Kernel
 * code is never switched away from, so all that a thread leaves behind on its CPU is what belongs to its stay in the domain:
 * the words of the state page, the register page, extended state. It may go on on any CPU, in the domain's view of that CPU.
 */
#include "domain.h"
#include "extended.h"
#include "monitor.h"
#include "process.h"
#include "threads.h"

enum { STACK_PAGES = 4 };

bool preemption_full;
static spinlock_t lock; /* of the queue; held across a switch, and released by the thread that is switched to */
static struct thread *first, *last;
static volatile u32 running;
static u64 roots[LVD_MAX_CPUS]; /* of their processes */
static void (*volatile thread_work)(u32 number);

void thread_switch(u64 *save_rsp, u64 load_rsp);

static void append(struct thread *thread) {
    thread->next = NULL;
    if (first)
        last->next = thread;
    else
        first = thread;
    last = thread;
}

static struct thread *take(void) {
    struct thread *thread = first;
    if (thread)
        first = thread->next;
    return thread;
}

/* With the lock held and interrupts off; comes back when the thread runs again, wherever. */
static void switch_to(struct thread *next) {
    struct thread *thread = current();
    thread->kernel_esp = vmfunc_state_page.kernel_esp;
    vmfunc_state_page.kernel_esp = next->kernel_esp;
    this_cpu()->current = next;
    process_root_load(next->cr3 ? next->cr3 : kernel_cr3);
    thread_switch(&thread->rsp, next->rsp);
    spin_unlock(&lock);
}

static void thread_main(void) {
    spin_unlock(&lock);
    if (extended_mode != EXTENDED_NONE)
        extended_restore(&extended_initial);
    interrupts_on();
    thread_work(current()->number);
    interrupts_off();
    spin_lock(&lock);
    running--;
    switch_to(&this_cpu()->boot_thread);
    panic("a thread that had ended ran again");
}

void threads_create(u32 count, void (*function)(u32 number)) {
    thread_work = function;
    running = count;
    for (u32 number = 0; number < count; number++) {
        struct thread *thread = kzalloc(sizeof *thread);
        u64 *top;
        thread->number = number;
        thread->cr3 = process_root_create();
        thread->kernel_stack = (u64)pages_alloc(STACK_PAGES);
        thread->stay = pages_alloc(1 + ALIGN_UP(sizeof(struct extended_area), LVD_PAGE_SIZE) / LVD_PAGE_SIZE);
        top = (u64 *)(thread->kernel_stack + STACK_PAGES * LVD_PAGE_SIZE) - 2;
        *top = (u64)thread_main;
        thread->rsp = (u64)(top - 6); /* the registers that thread_switch takes from there */
        append(thread);
        roots[number] = thread->cr3;
    }
}

void threads_end(void) {
    for (u32 number = 0; number < LVD_MAX_CPUS; number++)
        if (roots[number]) {
            process_root_end(roots[number]);
            roots[number] = 0;
        }
}

/* On each CPU's own thread: runs whatever can run until all have ended. */
void threads_run(u32 cpu) {
    (void)cpu;
    while (running) {
        interrupts_off();
        spin_lock(&lock);
        struct thread *next = take();
        if (next)
            switch_to(next);
        else
            spin_unlock(&lock);
        interrupts_on();
        __builtin_ia32_pause();
    }
}

/* The timer has found the current thread inside a domain; the domain's view is the kernel's now, interrupts are off. */
void threads_switch_inside(void) {
    struct thread *thread = current(), *next;
    struct domain *domain = thread->domain;
    struct extended_area *extended = (void *)(thread->stay + LVD_PAGE_SIZE);
    u32 cpu = cpu_number();

    if (thread == &this_cpu()->boot_thread || thread->pinned || domain->dead)
        return;
    if (*(const u32 *)(domain->percpu_page[cpu] + LVD_PERCPU_PREEMPT_COUNT)) /* what it does there is of this CPU */
        return;
    spin_lock(&lock);
    next = take();
    if (!next) {
        spin_unlock(&lock);
        return;
    }
    memcpy(thread->stay, domain->register_page[cpu], LVD_PAGE_SIZE);
    if (extended_mode != EXTENDED_NONE)
        extended_save(extended);
    append(thread);
    __sync_fetch_and_add(&lvd_counters.switches_inside, 1);
    switch_to(next);

    if (cpu != cpu_number()) {
        cpu = cpu_number();
        thread->domain_gs = domain->base + LVD_WINDOW_PERCPU + cpu * LVD_PERCPU_STRIDE;
        thread->migrated = 1;
        __sync_fetch_and_add(&lvd_counters.migrations_inside, 1);
    }
    if (domain->dead)
        return;
    memcpy(domain->register_page[cpu], thread->stay, LVD_PAGE_SIZE);
    eptp_list(cpu)[1] = domain->eptp[cpu];
    wipe_interrupt_frames(cpu);
    if (extended_mode != EXTENDED_NONE)
        extended_restore(extended);
    vmfunc_state_page.progress++;
}
