/* What the kernel does with the drivers once they are there: NAME:COUNT[:OPTION=VALUE,...]. */
#ifndef KERNEL_WORKLOAD_H
#define KERNEL_WORKLOAD_H
#include "kernel.h"

enum { TIMER_CYCLES = 100000 /* 26 kHz on the paper's machine */ };

struct workload {
    char name[16];
    const char *operation; /* what it counts */
    u64 count;
    char options[64];
    u64 timer_cycles, restarts_max;
    u64 blocks_kept; /* of the heap, by threads */
};
extern struct workload workload;

u64 workload_option(const char *key, u64 value);
void run_workload(void);
void run_block_workload(void);
void run_module_workload(void);
#endif
