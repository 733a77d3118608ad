/* Deferred work: completions of requests and expired timers, run on the CPU that raised them. */
#ifndef KERNEL_SOFTIRQ_H
#define KERNEL_SOFTIRQ_H
#include "kernel.h"

/* Something to be done soon on this CPU, on behalf of a domain or (NULL) a driver in the kernel. */
struct work {
    struct work *next;
    void (*function)(struct work *work);
    struct domain *domain;
};

struct timer {
    struct timer *next;
    u64 expires; /* time-stamp counter */
    bool queued;
    u32 cpu;
    struct work work;
};

void work_add(struct work *work);
void timer_start(struct timer *timer, u64 cycles);
bool timer_cancel(struct timer *timer);
void softirq_run(void);
void softirq_from_interrupt(void);
bool softirq_hold(void);
void softirq_resume(bool before);
void softirq_forget_domain(struct domain *domain);
void ticks_start(u64 period);
void ticks_stop(void);
bool timer_interrupt(void);
void wait_for_interrupt(bool (*unless)(void *argument), void *argument);

/* The paper's machine: 2.6 GHz. */
static inline u64 cycles_of_ns(u64 ns) { return ns * 26 / 10; }
static inline u64 ns_of_cycles(u64 cycles) { return cycles * 10 / 26; }
#endif
