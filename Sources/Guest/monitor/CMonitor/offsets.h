/* struct monitor_cpu as entry.S sees it; monitor.h asserts each. */
#ifndef MONITOR_OFFSETS_H
#define MONITOR_OFFSETS_H
#define CPU_NMI_PENDING 8
#define CPU_RBX 16
#define CPU_RSP 64
#define CPU_RFLAGS 72
#define CPU_STACK_TOP 80
#define CPU_NATIVE 96
#define CPU_SIZE 1024
/* struct native_state. */
#define NATIVE_CR3 40
#define NATIVE_CR4 48
#define NATIVE_GDT 56
#define NATIVE_IDT 72
#define NATIVE_TR 88
#define NATIVE_DS 96
#define NATIVE_ES 104
#define NATIVE_FS 112
#define NATIVE_GS 120
#define NATIVE_FS_BASE 128
#define NATIVE_GS_BASE 136
#define MONITOR_STACK_SIZE 0x4000
#endif
