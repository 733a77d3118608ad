/*
 * Deferred work and timers. An interrupt only marks what is due; it runs at the interrupt's end, when that hit plain kernel code, or
 * else where the thread next asks for it. It never runs while a domain of this thread is suspended: a driver's spin_lock_irq
 * keeps its own callbacks out without the driver ever touching the interrupt flag (A8).
 */
#include "softirq.h"
#include "domain.h"

enum { LONGEST_WAIT = 1000000 }; /* cycles after which a CPU that waits without a tick looks again */

static struct cpu_work {
    struct work *first, **last;
    struct timer *timers; /* by expiry */
    bool one_shot, running;
    u64 period, next_tick;
    struct domain *volatile current; /* whose work is being done */
} cpu_works[LVD_MAX_CPUS];
static spinlock_t lock;

static struct cpu_work *mine(void) { return &cpu_works[cpu_number()]; }

void work_add(struct work *work) {
    u64 flags = spin_lock_irqsave(&lock);
    struct cpu_work *here = mine();
    if (!here->first)
        here->last = &here->first;
    work->next = NULL;
    *here->last = work;
    here->last = &work->next;
    spin_unlock_irqrestore(&lock, flags);
}

/* With the lock. The APIC's timer is set to whatever comes next here. */
static void program(struct cpu_work *here) {
    u64 now = read_tsc(), next = here->period ? here->next_tick : ~0ULL;
    if (!here->one_shot)
        return;
    if (here->timers && here->timers->expires < next)
        next = here->timers->expires;
    if (next != ~0ULL)
        apic_timer_once(VECTOR_TIMER, next > now ? next - now : 1);
}

/* On this CPU, so many cycles from now. */
void timer_start(struct timer *timer, u64 cycles) {
    u64 flags = spin_lock_irqsave(&lock);
    struct cpu_work *here = mine();
    struct timer **link = &here->timers;
    timer->expires = read_tsc() + cycles;
    timer->cpu = cpu_number();
    timer->queued = true;
    while (*link && (*link)->expires <= timer->expires)
        link = &(*link)->next;
    timer->next = *link;
    *link = timer;
    if (here->timers == timer)
        program(here);
    spin_unlock_irqrestore(&lock, flags);
}

static bool unlink_timer(struct timer *timer) {
    for (struct timer **link = &cpu_works[timer->cpu].timers; timer->queued && *link; link = &(*link)->next)
        if (*link == timer) {
            *link = timer->next;
            timer->queued = false;
            return true;
        }
    return false;
}

static bool unlink_work(struct cpu_work *where, struct domain *domain, const struct work *only) {
    bool found = false;
    for (struct work **link = &where->first; *link;)
        if (only ? *link == only : (*link)->domain == domain) {
            *link = (*link)->next;
            found = true;
        } else {
            link = &(*link)->next;
        }
    where->last = &where->first;
    while (*where->last)
        where->last = &(*where->last)->next;
    return found;
}

/* Whether it had not expired yet. */
bool timer_cancel(struct timer *timer) {
    u64 flags = spin_lock_irqsave(&lock);
    bool found = unlink_timer(timer) || unlink_work(&cpu_works[timer->cpu], NULL, &timer->work);
    spin_unlock_irqrestore(&lock, flags);
    return found;
}

/* VECTOR_TIMER. Whether it was the tick. */
bool timer_interrupt(void) {
    struct cpu_work *here = mine();
    bool tick = !here->one_shot;
    if (tick)
        return true;
    spin_lock(&lock);
    u64 now = read_tsc();
    if (here->period && now >= here->next_tick) {
        tick = true;
        while (here->next_tick <= now)
            here->next_tick += here->period;
    }
    while (here->timers && here->timers->expires <= now) {
        struct timer *timer = here->timers;
        here->timers = timer->next;
        timer->queued = false;
        spin_unlock(&lock);
        work_add(&timer->work);
        spin_lock(&lock);
    }
    program(here);
    spin_unlock(&lock);
    return tick;
}

/* Does what is due on this CPU, and what becomes due meanwhile. */
void softirq_run(void) {
    struct cpu_work *here = mine();
    if (here->running || !here->first)
        return;
    here->running = true;
    for (;;) {
        u64 flags = spin_lock_irqsave(&lock);
        struct work *work = here->first;
        if (work) {
            here->first = work->next;
            here->current = work->domain;
        }
        spin_unlock_irqrestore(&lock, flags);
        if (!work)
            break;
        work->function(work);
        here->current = NULL;
    }
    here->running = false;
}

/* At the end of an interrupt that hit the kernel itself. */
void softirq_from_interrupt(void) {
    struct cpu_work *here = mine();
    if (!here->first || here->running || current()->domain)
        return;
    interrupts_on();
    softirq_run();
    interrupts_off();
}

/* None of it on this CPU until that is undone. */
bool softirq_hold(void) {
    u64 flags = interrupts_save(); /* with it the CPU stays the same */
    bool before = mine()->running;
    mine()->running = true;
    interrupts_restore(flags);
    return before;
}
void softirq_resume(bool before) { mine()->running = before; }

/* The domain is dead and no thread is inside: nothing is due for it any more, and no CPU is just about to do it. */
void softirq_forget_domain(struct domain *domain) {
    u64 flags = spin_lock_irqsave(&lock);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++) {
        unlink_work(&cpu_works[cpu], domain, NULL);
        for (struct timer **link = &cpu_works[cpu].timers; *link;)
            if ((*link)->work.domain == domain) {
                (*link)->queued = false;
                *link = (*link)->next;
            } else {
                link = &(*link)->next;
            }
    }
    spin_unlock_irqrestore(&lock, flags);
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        while (cpu != cpu_number() && cpu_works[cpu].current == domain)
            __builtin_ia32_pause();
}

/* From here on this CPU's timer serves ticks (every period cycles; 0: none) and timers alike. */
void ticks_start(u64 period) {
    u64 flags = spin_lock_irqsave(&lock);
    struct cpu_work *here = mine();
    here->one_shot = true;
    here->period = period;
    here->next_tick = read_tsc() + period;
    program(here);
    spin_unlock_irqrestore(&lock, flags);
}

void ticks_stop(void) {
    u64 flags = spin_lock_irqsave(&lock);
    mine()->one_shot = false;
    mine()->period = 0;
    apic_timer(VECTOR_TIMER, 0);
    spin_unlock_irqrestore(&lock, flags);
}

/* Sleeps until the next interrupt, unless there is something to do already. */
void wait_for_interrupt(bool (*unless)(void *argument), void *argument) {
    struct cpu_work *here = mine();
    interrupts_off();
    if (here->first || unless(argument)) {
        interrupts_on();
        return;
    }
    if (here->one_shot && !here->period && !here->timers)
        apic_timer_once(VECTOR_TIMER, LONGEST_WAIT);
    asm volatile("sti\n\thlt" : : : "memory");
}
