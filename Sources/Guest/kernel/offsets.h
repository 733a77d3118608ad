/* Structure offsets that assembly uses; kernel.h asserts each of them. */
#ifndef KERNEL_OFFSETS_H
#define KERNEL_OFFSETS_H

/* struct trap_frame: what an entry stub leaves on the stack; 22 words. */
#define FRAME_VECTOR 120
#define FRAME_ERROR 128
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SS 168
#define FRAME_SIZE 176

/* struct thread. */
#define THREAD_LCD_STACK 0
#define THREAD_DOMAIN_GS 8
#define THREAD_MIGRATED 32
#define THREAD_USER_RSP 40

/* struct crossing_frame: what a suspended kernel-to-domain call keeps at kernel_esp. */
#define CROSSING_OUTER 0
#define CROSSING_MESSAGE 8
#define CROSSING_RFLAGS 16

/* struct percpu, beyond what lvd/layout.h fixes. */
#define PERCPU_NMI_STACK 0x48

#define KERNEL_CS 0x08
#define KERNEL_DS 0x10
#define TSS_SELECTOR 0x18
#define USER_DS 0x2b                         /* with RPL 3 */
#define USER_CS 0x33

#define IST_DOUBLE_FAULT 1
#define IST_NMI 2
#define IST_DEBUG 3
#define IST_MACHINE_CHECK 4
#define IST_IRQ 5
#define IST_EXCEPTION 6
#define IST_COUNT 6

#endif
