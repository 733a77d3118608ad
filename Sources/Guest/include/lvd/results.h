/* lvd_results: what a run leaves behind for whoever started it. */
#ifndef LVD_RESULTS_H
#define LVD_RESULTS_H
#include "layout.h"
#include "types.h"

#define LVD_RESULTS_MAGIC 0x003153455244564cULL /* "LVDRES1\0" */
#define LVD_RESULTS_VERSION 2

/* lvd_results.status, also written to the debug-exit port 0xF4. */
#define LVD_STATUS_OK 0
#define LVD_STATUS_PANIC 1        /* the kernel met something it cannot continue from */
#define LVD_STATUS_BAD_BOOT 2     /* modules or command line make no sense */
#define LVD_STATUS_DRIVER 3       /* init_module failed or no device appeared */
#define LVD_STATUS_INCOMPLETE 4   /* fewer operations than requested, domain still alive */
#define LVD_STATUS_KILLED 5       /* the domain broke a rule and was terminated; see kill */
#define LVD_STATUS_MONITOR 6      /* the monitor met something it cannot continue from */
#define LVD_STATUS_RUNNING 0xff   /* not finished yet */

struct lvd_cpu_results {
    u64 completed;
    u64 cycles;            /* of this CPU's share of the workload, by its time-stamp counter */
    u64 calls;             /* kernel to domain */
    u64 callbacks;         /* domain to kernel */
    u64 interrupts;
    u64 interrupts_inside; /* of those, taken while the domain's view was active */
    u64 nmis;
    u64 nmis_inside;
};

struct lvd_driver_results {
    char name[32];
    u64 requested;
    u64 completed;
    u64 tx_packets; /* read back through ndo_get_stats64 */
    u64 tx_bytes;
    u32 kills;      /* how often its domain was terminated */
    u32 restarts;   /* how often it was loaded again */
};

struct lvd_results {
    u64 magic;
    u32 version;
    u32 status;
    u32 isolated;
    u32 cpus;
    u64 requested;
    u64 completed;
    u64 tx_packets; /* of all drivers */
    u64 tx_bytes;
    u64 cycles;     /* of the workload loop: the largest of the CPUs */
    struct {
        u32 cause;  /* enum in lvd/causes.h; 0: no domain was killed */
        u32 cpu;
        u64 detail; /* exit qualification, vector or error code, by cause */
        u64 rip;    /* inside the domain, as far as known */
        u64 address;
    } kill;
    char message[128];
    struct lvd_cpu_results per_cpu[LVD_MAX_CPUS];
    u32 driver_count;
    u32 reserved;
    struct lvd_driver_results drivers[LVD_MAX_DOMAINS];
};

/* lvd_counters: what the choices of the guest system came to (lvdsim run, "guest system"). */
struct lvd_counters {
    u64 promoted;          /* CPUs that the monitor has left again */
    u64 extended_saves;    /* crossings around which extended state was saved and restored */
    u64 extended_checks;   /* how often the kernel has found its own extended state unchanged */
    u64 switches_inside;   /* from a thread that an interrupt had found inside a domain to another thread */
    u64 migrations_inside; /* of those threads, resumed on another CPU */
    u64 capabilities_made, capabilities_granted, capabilities_revoked;
    u64 capabilities_left; /* when all domains have gone: with pages of memory and blocks of the heap, 0 */
    u64 processes;         /* started */
    u64 processes_killed;  /* of those, ended for what they did in ring 3 */
};
#endif
