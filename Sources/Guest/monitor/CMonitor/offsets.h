/* struct monitor_cpu as entry.S sees it; monitor.h asserts each. */
#ifndef MONITOR_OFFSETS_H
#define MONITOR_OFFSETS_H
#define CPU_NMI_PENDING 8
#define CPU_RBX 16
#define CPU_RSP 64
#define CPU_RFLAGS 72
#define CPU_STACK_TOP 80
#define CPU_SIZE 512
#define MONITOR_STACK_SIZE 0x4000
#endif
