#ifndef _LINUX_PERCPU_H
#define _LINUX_PERCPU_H
#include <linux/types.h>

void *__alloc_percpu_gfp(size_t size, size_t align, gfp_t gfp);
void free_percpu(void *pointer);

/* An absolute symbol: the GS offset at which the base of this CPU's area is kept. */
extern char this_cpu_off[];

#define alloc_percpu(type) ((type *)__alloc_percpu_gfp(sizeof(type), __alignof__(type), GFP_KERNEL))

static inline void *__this_cpu_address(void *pointer) {
    asm("addq %%gs:this_cpu_off(%%rip), %0" : "+r"(pointer));
    return pointer;
}
#define this_cpu_ptr(pointer) ((__typeof__(pointer))__this_cpu_address(pointer))
#endif
