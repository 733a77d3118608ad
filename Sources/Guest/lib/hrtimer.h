#ifndef LVD_HRTIMER_H
#define LVD_HRTIMER_H
#include "lib.h"
#include <lvd/abi.h>

enum { TIMER_RESTARTS = 1 };

/* The tree node is Linux's own business: here its first word says which timer of the kernel's stands behind it. */
static inline u64 *timer_number(void *timer) { return FIELD_ADDRESS(timer, hrtimer, node); }
static inline s64 *timer_expires(void *timer) { return FIELD_ADDRESS(FIELD_ADDRESS(timer, hrtimer, node), timerqueue_node, expires); }

s64 ktime_get(void);
void hrtimer_init(void *timer, int clock, int mode);
u64 hrtimer_forward(void *timer, s64 now, s64 interval);
#endif
