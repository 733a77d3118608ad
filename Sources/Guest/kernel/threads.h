/* Threads that the timer may switch between while they are inside domains. */
#ifndef KERNEL_THREADS_H
#define KERNEL_THREADS_H
#include "kernel.h"

extern bool preemption_full;
void threads_create(u32 count, void (*function)(u32 number));
void threads_run(u32 cpu);
void threads_end(void); /* after all have run */
void threads_switch_inside(void);
#endif
