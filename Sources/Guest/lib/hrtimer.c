/* The parts of a high-resolution timer that stay with whoever owns it; the rest is the kernel's (softirq.c) or its glue's. */
#include "hrtimer.h"

static struct { u8 bytes[256]; } clock_base;

void hrtimer_init(void *timer, int clock, int mode) {
    (void)clock, (void)mode;
    memset(timer, 0, SIZEOF(hrtimer));
    FIELD(&clock_base, void *, hrtimer_clock_base, get_time) = ktime_get;
    FIELD(timer, void *, hrtimer, base) = &clock_base;
}

/* Moves the expiry past now by whole intervals; how many. */
u64 hrtimer_forward(void *timer, s64 now, s64 interval) {
    s64 *expires = timer_expires(timer);
    if (now < *expires || interval <= 0)
        return 0;
    u64 overruns = (u64)(now - *expires) / (u64)interval + 1;
    *expires += (s64)overruns * interval;
    return overruns;
}
