/* Processes: an address space each, with a program in ring 3. Every CPU has its own, which take turns there. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H
#include "kernel.h"

extern u32 process_count; /* on each CPU; 0: the kernel itself sends */

void processes_read_options(void);
void processes_turn(u32 cpu);            /* runs this CPU's next process up to its request for a packet */
void processes_packet_is_sent(u32 cpu);  /* for the one whose turn it is */
void processes_end(u32 cpu);             /* back on the kernel's own root */
u64 process_root_create(void);
void process_root_load(u64 cr3);
void process_root_end(u64 cr3);          /* it is loaded nowhere */
#endif
