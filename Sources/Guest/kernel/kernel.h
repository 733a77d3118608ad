/* The small kernel: what its parts offer each other. */
#ifndef KERNEL_H
#define KERNEL_H
#include "../lib/lib.h"
#include "offsets.h"
#include <lvd/boot.h>
#include <lvd/causes.h>
#include <lvd/results.h>
#include <lvd/rpc.h>
#include <lvd/state_page.h>

struct trap_frame {
    u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "offsets.h");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "offsets.h");
_Static_assert(offsetof(struct trap_frame, rsp) == FRAME_RSP, "offsets.h");

struct crossing_frame {
    u64 outer_kernel_esp;
    struct lvd_message *message;
    u64 rflags;
    u64 r15, r14, r13, r12, rbx, rbp, rip;
};
_Static_assert(offsetof(struct crossing_frame, rflags) == CROSSING_RFLAGS, "offsets.h");

struct domain;

/* One per CPU, and under full preemption those of the workload. */
struct thread {
    u64 lcd_stack;      /* RSP in the domain while that is suspended */
    u64 domain_gs;      /* the domain's per-CPU area on this CPU */
    struct domain *domain; /* of the innermost crossing; NULL when in none */
    u64 kernel_stack;   /* lowest address */
    u64 migrated;       /* it comes back to a domain on another CPU: with domain_gs, and not with what GS was */
    u64 user_rsp;       /* where it waits for its process in ring 3; 0: it is not there */
    struct process *process;
    u32 nested_count;   /* crossings on this thread */
    u32 uses_extended;  /* there are values of its own in x87 or XMM registers */
    struct extended_area *extended; /* the kernel's, saved around the innermost crossing; NULL if it was not */
    u64 rsp, kernel_esp; /* while another thread runs */
    u64 cr3;            /* of its process; 0: the kernel's own */
    u8 *stay;           /* what it leaves on its CPU inside a domain: register page, extended state */
    struct thread *next; /* in the queue */
    u32 number;
    u32 pinned;         /* not 0: holds what others spin for */
};
_Static_assert(offsetof(struct thread, lcd_stack) == THREAD_LCD_STACK, "offsets.h");
_Static_assert(offsetof(struct thread, domain_gs) == THREAD_DOMAIN_GS, "offsets.h");
_Static_assert(offsetof(struct thread, migrated) == THREAD_MIGRATED, "offsets.h");
_Static_assert(offsetof(struct thread, user_rsp) == THREAD_USER_RSP, "offsets.h");

/* What GS points to in the kernel; the rest of the area is handed out by __alloc_percpu_gfp. */
struct percpu {
    u8 compiler[LVD_PERCPU_CANARY];
    u64 canary;
    u64 this_cpu_off;
    u32 cpu_number;
    u32 preempt_count;
    struct thread *current;
    u64 nmi_stack; /* top of a stack that no domain can see */
    struct thread boot_thread;
    u32 workload_state;
    void *skb_cache[LVD_MAX_DOMAINS + 1]; /* packets to use again, by whose pool their payload is in; the last: the kernel's */
};
_Static_assert(offsetof(struct percpu, canary) == LVD_PERCPU_CANARY, "layout.h");
_Static_assert(offsetof(struct percpu, this_cpu_off) == LVD_PERCPU_THIS_CPU_OFF, "layout.h");
_Static_assert(offsetof(struct percpu, cpu_number) == LVD_PERCPU_CPU_NUMBER, "layout.h");
_Static_assert(offsetof(struct percpu, current) == LVD_PERCPU_CURRENT, "layout.h");
_Static_assert(offsetof(struct percpu, nmi_stack) == PERCPU_NMI_STACK, "offsets.h");
_Static_assert(sizeof(struct percpu) <= LVD_PERCPU_DYNAMIC, "layout.h");

/* -- processor instructions -------------------------------------------------------------------------------------------- */
static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline void write_msr(u32 msr, u64 value) {
    asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline u64 read_msr(u32 msr) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}
static inline u64 read_tsc(void) {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (u64)high << 32 | low;
}
static inline u64 read_cr3(void) {
    u64 value;
    asm volatile("movq %%cr3, %0" : "=r"(value));
    return value;
}
static inline void write_cr3(u64 value) { asm volatile("movq %0, %%cr3" : : "r"(value) : "memory"); }
static inline void interrupts_on(void) { asm volatile("sti" : : : "memory"); }
static inline void interrupts_off(void) { asm volatile("cli" : : : "memory"); }
static inline u64 interrupts_save(void) {
    u64 flags;
    asm volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(flags) : : "memory");
    return flags;
}
static inline void interrupts_restore(u64 flags) {
    if (flags & 0x200)
        interrupts_on();
}

struct cpuid_result { u32 eax, ebx, ecx, edx; };
static inline struct cpuid_result cpuid(u32 leaf, u32 ebx, u32 ecx) {
    struct cpuid_result r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "b"(ebx), "c"(ecx) : "memory");
    return r;
}

static inline struct percpu *this_cpu(void) {
    struct percpu *area;
    asm volatile("movq %%gs:%c1, %0" : "=r"(area) : "i"(LVD_PERCPU_THIS_CPU_OFF)); /* volatile: threads migrate */
    return area;
}
static inline u32 cpu_number(void) { return this_cpu()->cpu_number; }

/* -- memory ------------------------------------------------------------------------------------------------------------ */
#define PTE_PRESENT 1ULL
#define PTE_WRITE 2ULL
#define PTE_UNCACHED 0x18ULL
#define PTE_ACCESSED 0x20ULL
#define PTE_DIRTY 0x40ULL
#define PTE_LARGE 0x80ULL
#define PTE_NO_EXECUTE (1ULL << 63)
#define PTE_ADDRESS 0x000ffffffffff000ULL

static inline void *direct(u64 physical) { return (void *)(physical + LVD_DIRECT_MAP); }
static inline u64 physical(const void *address) {
    u64 a = (u64)address;
    return a >= LVD_KERNEL_BASE ? a - LVD_KERNEL_BASE : a - LVD_DIRECT_MAP;
}

extern u64 memory_end; /* physical address after the last byte of RAM */
extern u64 kernel_cr3;
void pages_reserve(u64 start, u64 end);
void pages_init(u64 end, u64 first_free);
void *pages_alloc(size_t count);      /* zeroed, by direct-map address; panics when there are none left */
void pages_free(void *pages, size_t count);
size_t pages_in_use(void);
void paging_init(void);
void map_page(u64 cr3, u64 address, u64 physical_address, u64 flags);
u64 permissions_to_pte(u32 permissions);
u64 *page_entry(u64 cr3, u64 address);
void kernel_heap_init(void);
u64 heap_blocks_in_use(void);
void *percpu_alloc(size_t size, size_t align);

/* -- processors -------------------------------------------------------------------------------------------------------- */
extern u32 nr_cpu_ids; /* CPUs that run */
extern u8 percpu_areas[LVD_MAX_CPUS][LVD_PERCPU_STRIDE];
extern struct lvd_state_page vmfunc_state_page;
extern u64 idt_table[512];
extern u8 lvd_gdt_pages[LVD_MAX_CPUS][LVD_PAGE_SIZE], lvd_tss_pages[LVD_MAX_CPUS][LVD_PAGE_SIZE];
extern u8 lvd_ist_stacks[LVD_MAX_CPUS][IST_COUNT][LVD_PAGE_SIZE];
void cpu_init(u32 cpu, u64 kernel_stack);
void fill_state_page(struct lvd_state_page *page, u32 cpu);
void wipe_interrupt_frames(u32 cpu);
void smp_start(u32 cpus);
void smp_run_everywhere(void (*function)(u32 cpu));
void smp_call(void (*function)(u32 cpu));
void smp_call_here(void);
void spin_lock_answering(spinlock_t *lock);
void apic_init(void);
void apic_timer(u32 vector, u64 cycles);
void apic_timer_once(u32 vector, u64 cycles);
void apic_calibrate_timer(void);
void apic_end_of_interrupt(void);
void apic_finish_interrupts(void);
void apic_send(u32 target, u32 vector);
void apic_start(u32 apic_id, u32 page);
u32 apic_id(void);

#define VECTOR_TIMER 0x40
#define VECTOR_WAKE 0x41  /* there is work for an idle CPU */
#define VECTOR_CALL 0x42  /* smp_call */
#define VECTOR_KICK 0x43  /* a domain has ended: whoever is in it leaves it */
#define VECTOR_POKE 0x44  /* look whether there is something to do: there never is */
#define VECTOR_USER 0x80  /* INT by a process: a system call */
#define VECTOR_SPURIOUS 0xff

/* -- console, command line, end ---------------------------------------------------------------------------------------- */
void console_init(void);
void console_write(const char *text, size_t length);
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void panic(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void finish(u32 status, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
extern struct lvd_results lvd_results;
extern struct lvd_counters lvd_counters;

struct boot_module { u64 start, end; const char *command; };
extern struct boot_module boot_modules[8];
extern u32 boot_module_count;
extern const char *boot_command;
void multiboot_read(u64 information);
bool option_text(const char *command, const char *key, char *value, size_t size);
bool option_number(const char *command, const char *key, u64 *value);
bool module_is(const struct boot_module *module, const char *kind);

/* -- drivers and domains ----------------------------------------------------------------------------------------------- */
const struct lvd_domain_header *image_header(const struct boot_module *module);
void drivers_load(void);
extern u32 driver_starting; /* whose init_module runs in the kernel itself */
int driver_start(u32 id);
void driver_stop(u32 id);
int driver_restart(u32 id);
int driver_reload(u32 id);
void launch_prepare(const struct boot_module *module, u32 cpus);
void launch_cpu(u32 cpu);
void launch_check(void);
void promote_kernel(void);
extern bool monitor_running, launches_early;
void network_init(void);
extern struct random_state kernel_random;
u64 irq_handler(struct trap_frame *frame, u64 inside);
#endif
