/* The in-domain runtime: what a driver's imports resolve to, and how they reach the kernel. */
#ifndef DOMAIN_RUNTIME_H
#define DOMAIN_RUNTIME_H
#include "../lib/message.h"

extern u8 domain_dispatch[];

/* Everything a domain has lies in its window, which is aligned to its size. */
static inline u8 *window(u64 offset) { return (u8 *)(((u64)domain_dispatch & ~(LVD_DOMAIN_STRIDE - 1ULL)) + offset); }
static inline u64 *register_page(void) { return (u64 *)window(LVD_WINDOW_REGISTERS); }
/* As in Linux: while this CPU's count is not 0 its thread is not switched away from. The kernel takes it as a wish. */
static inline void preempt_off(void) { asm volatile("incl %%gs:%c0" : : "i"(LVD_PERCPU_PREEMPT_COUNT) : "memory"); }
static inline void preempt_on(void) { asm volatile("decl %%gs:%c0" : : "i"(LVD_PERCPU_PREEMPT_COUNT) : "memory"); }

static inline u32 this_cpu_number(void) {
    u32 number;
    asm volatile("movl %%gs:%c1, %0" : "=r"(number) : "i"(LVD_PERCPU_CPU_NUMBER)); /* volatile: threads migrate */
    return number;
}

/* A call into the kernel: begin, pack arguments, call, unpack the reply. */
struct request {
    struct lvd_message message;
    struct slots slots;
};
void request_begin(struct request *request, u32 class, u32 number);
void request_call(struct request *request);

void runtime_init(u32 cpus, u64 heap_bytes);
void give_up(u64 why) __attribute__((noreturn));

/* glue.c: a device's set-up in the middle of its allocation. */
bool network_setup(struct slots *in, struct slots *out);
/* block_glue.c: calls about disks, and about timers. False for a number it does not know. */
bool block_call(u32 number, struct slots *in, struct slots *out);
#endif
