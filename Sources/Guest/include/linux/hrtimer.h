#ifndef _LINUX_HRTIMER_H
#define _LINUX_HRTIMER_H
#include <linux/types.h>

typedef s64 ktime_t;
enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
#define CLOCK_MONOTONIC 1
#define HRTIMER_MODE_REL 1

/* Our own layout; code outside drivers reaches the fields through lvd/abi.h. */
struct timerqueue_node { void *node[3]; ktime_t expires; };
struct hrtimer_clock_base { ktime_t (*get_time)(void); };
struct hrtimer {
    struct timerqueue_node node;
    enum hrtimer_restart (*function)(struct hrtimer *timer);
    struct hrtimer_clock_base *base;
};

void hrtimer_init(struct hrtimer *timer, int clock, int mode);
void hrtimer_start_range_ns(struct hrtimer *timer, ktime_t time, u64 range, int mode);
int hrtimer_cancel(struct hrtimer *timer);
static inline void hrtimer_start(struct hrtimer *timer, ktime_t time, int mode) { hrtimer_start_range_ns(timer, time, 0, mode); }
#endif
