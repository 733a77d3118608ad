/* What the kernel keeps for and asks of the monitor beneath it. */
#ifndef KERNEL_MONITOR_H
#define KERNEL_MONITOR_H
#include <lvd/types.h>

u64 *eptp_list(u32 cpu);       /* [0] the kernel's view, [1] the domain about to run on that CPU, all others 0 (A2) */
u64 eptp_template(void);       /* memory type, walk length and accessed-and-dirty bit that the monitor uses */
void ept_invalidate(u64 eptp); /* on this CPU */
void monitor_write(u64 address, u64 length); /* contiguous physical memory, to the console */
#endif
