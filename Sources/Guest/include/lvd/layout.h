/* Where things are: one map for the kernel, the monitor, the domains and the host tools that read their memory. */
#ifndef LVD_LAYOUT_H
#define LVD_LAYOUT_H

#define LVD_MAX_CPUS 8
#define LVD_MAX_DOMAINS 4
#define LVD_PAGE_SIZE 4096

/* Physical. */
#define LVD_AP_TRAMPOLINE_PHYS 0x8000        /* real-mode start page of the application processors */
#define LVD_KERNEL_PHYS 0x200000             /* kernel.elf */
#define LVD_MONITOR_PHYS 0x1000000           /* monitor.elf and all the memory it ever uses */
#define LVD_MONITOR_PHYS_END 0x1800000

/* Guest virtual, processes: code and stack of ring 3. */
#define LVD_USER_TEXT 0x400000
#define LVD_USER_STACK 0x401000

/* Guest virtual, kernel. */
#define LVD_KERNEL_BASE 0xffffffff80000000   /* + physical address: the kernel image */
#define LVD_KERNEL_END 0xffffffffa0000000
#define LVD_DIRECT_MAP 0xffff888000000000    /* + physical address: all RAM, and the local APIC's page */

/* Guest virtual, domain d: base = LVD_DOMAIN_BASE + d * LVD_DOMAIN_STRIDE; offsets inside the window. */
#define LVD_DOMAIN_BASE 0xffffffffa0000000
#define LVD_DOMAIN_STRIDE 0x04000000
#define LVD_WINDOW_IMAGE 0x0000000           /* runtime and driver, as linked by the loader; at most 8 MiB */
#define LVD_WINDOW_IMAGE_END 0x0800000
#define LVD_WINDOW_POOL 0x0800000            /* payload pool shared with the kernel (kernel: direct map) */
#define LVD_WINDOW_POOL_END 0x0c00000
#define LVD_WINDOW_REGISTERS 0x0c00000       /* register page of this CPU: message slots beyond the sixth */
#define LVD_WINDOW_HEAP 0x1000000
#define LVD_WINDOW_HEAP_END 0x1400000
#define LVD_WINDOW_GRANTS 0x1400000          /* memory that is mapped by capability */
#define LVD_WINDOW_GRANTS_END 0x1500000
#define LVD_WINDOW_PERCPU 0x2000000          /* + cpu * LVD_PERCPU_STRIDE: what GS points to inside the domain */
#define LVD_PERCPU_STRIDE 0x10000
#define LVD_WINDOW_STACKS 0x2400000          /* stacks, each below a guard page */
#define LVD_WINDOW_PAGE_TABLES 0x3000000     /* the domain's own page-table pages, read-only (I2) */

#define LVD_STACKS_PER_CPU 4
#define LVD_STACK_SIZE 0x2000
#define LVD_STACK_STRIDE (LVD_STACK_SIZE + LVD_PAGE_SIZE)

/* Guest physical inside a domain: GVA - LVD_KERNEL_BASE + LVD_DOMAIN_GPA. Disjoint from RAM (I3). */
#define LVD_DOMAIN_GPA 0x7f80000000          /* 510 GiB */

/* Per-CPU areas begin with what compiled code expects at fixed GS offsets. */
#define LVD_PERCPU_CANARY 0x28               /* stack protector */
#define LVD_PERCPU_THIS_CPU_OFF 0x30
#define LVD_PERCPU_CPU_NUMBER 0x38
#define LVD_PERCPU_PREEMPT_COUNT 0x3c
#define LVD_PERCPU_CURRENT 0x40
#define LVD_PERCPU_DYNAMIC 0x1000            /* alloc_percpu() hands out offsets from here on */
#define LVD_PERCPU_MAPPED 0x4000             /* bytes of each area that a domain has memory for */

#endif
