/*
 * What the host loader and the guest kernel agree on: boot modules and the tables in the images.
 * Multiboot 1; each module's command line is "NAME key=value ...":
 *
 *   monitor                            the bytes of monitor.elf; absent in a native run
 *   domain name=NAME base=HEX          an image that begins with struct lvd_domain_header: runtime and driver linked at base
 *   driver name=NAME base=HEX          the same header, driver alone, linked against the kernel's exports (native run)
 *   ... parameters=HEX parameter_bytes=N   where in the image the driver's section __param is, if it has one
 *
 * Kernel command line (the first word is the image's path): workload=tx:N cpus=N seed=N timer=CYCLES restart=N NAME.PARAMETER=VALUE
 *     interrupts=N (lvd/interrupts.h) launch=0|1 (late, early) promote=0|1
 *     extended=0|1|2 (lazy, eager, none) extended-use=N preemption=0|1 (paper, full)
 *     processes=N process-packets=N process-attack=N (lvd/user.h)
 */
#ifndef LVD_BOOT_H
#define LVD_BOOT_H
#include "types.h"

#define LVD_DOMAIN_MAGIC 0x00314d4f4444564cULL /* "LVDDOM1\0" */
#define LVD_DOMAIN_VERSION 1
#define LVD_MAX_SEGMENTS 16

#define LVD_READ 1
#define LVD_WRITE 2
#define LVD_EXECUTE 4

struct lvd_segment {
    u64 offset;       /* page-aligned, from header.base */
    u64 file_offset;  /* from the first byte of the module (of this header) */
    u64 file_bytes;
    u64 memory_bytes; /* >= file_bytes; the rest is zero */
    u32 permissions;  /* LVD_READ | LVD_WRITE | LVD_EXECUTE; never W and X together */
    u32 reserved;
};

struct lvd_domain_header {
    u64 magic;
    u32 version;
    u32 header_bytes;   /* sizeof(struct lvd_domain_header) */
    u64 base;           /* guest virtual address of offset 0: LVD_DOMAIN_BASE + d * LVD_DOMAIN_STRIDE */
    u64 memory_bytes;   /* span from base, page multiple, at most LVD_WINDOW_IMAGE_END */
    u64 dispatch;       /* domain_dispatch of the runtime; 0 in a native driver image */
    u64 init_module;    /* 0 when the driver has none */
    u64 cleanup_module; /* 0 when the driver has none */
    u64 this_module;    /* __this_module; 0 when absent */
    char name[64];
    u32 segment_count;
    u32 reserved;
    struct lvd_segment segments[LVD_MAX_SEGMENTS];
};

/* kernel.elf section .lvd_export: what a native driver may import. .lvd_shared_export: what a domain may import. */
struct lvd_export {
    u64 address; /* an absolute symbol's value for per-CPU offsets such as this_cpu_off */
    char name[56];
};

/* kernel.elf section .lvd_vmfunc_sites: every VMFUNC instruction of the image. */
struct lvd_vmfunc_site {
    u64 rip;
    u32 expected_ecx; /* EPTP-list index that the check right after the instruction insists on */
    u32 reserved;
};

/* kernel.elf section .lvd_shared_ranges: everything mapped at the same address in the kernel and in every domain. */
struct lvd_shared_range {
    u64 start; /* page aligned */
    u64 end;
    u32 permissions; /* greatest rights in a domain */
    u32 per_cpu;     /* 1: an array of LVD_MAX_CPUS equal parts, of which a CPU's view holds only its own; 2: one page, other memory per view */
    char name[40];
};

/* kernel.elf section .lvd_rpc_names: what message numbers are called. */
#define LVD_NAME_CALL 0     /* kernel to domain */
#define LVD_NAME_CALLBACK 1 /* domain to kernel */
struct lvd_rpc_name {
    u32 direction;
    u32 class;
    u32 number;
    u32 reserved;
    char name[48];
};

/* kernel.elf and domain.ko section .lvd_abi: overwritten by the loader when the driver was built for another kernel. */
struct lvd_abi_slot {
    u32 value;
    char name[60]; /* "struct.field": byte offset; "sizeof struct": size in bytes */
};
#endif
