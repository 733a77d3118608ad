/*
 * A process is a root of its own: the kernel's half as everywhere, and below it a page of code and one of stack for ring 3. Its requests are
 * served under its own CR3, so calls into a domain come from whatever process it is, and the domain's views alias every such root (I3).
 */
#include "domain.h"
#include "process.h"
#include <lvd/user.h>

enum { MOST_PROCESSES = 8, USER_PAGES = 5, PTE_USER = 4 };

struct process {
    u32 number;
    u64 sent;
    u64 cr3;
    u64 *pages[USER_PAGES]; /* root, the three tables below it, stack */
    struct trap_frame frame;
    u64 cause;              /* why the monitor ended it; 0: it did not */
};

u32 process_count;
static u64 packets_each, attack; /* a process ends after so many packets, 0: never */
static u32 started;
static struct { struct process *slots[MOST_PROCESSES]; u32 turn; } cpus[LVD_MAX_CPUS];

extern u8 user_text[];
void user_run(const struct trap_frame *frame);

void processes_read_options(void) {
    u64 count = 0;
    option_number(boot_command, "processes", &count);
    option_number(boot_command, "process-packets", &packets_each);
    option_number(boot_command, "process-attack", &attack);
    if (count > MOST_PROCESSES || (count && !monitor_running))
        finish(LVD_STATUS_BAD_BOOT, "processes=%llu: at most %u, and beneath a monitor", count, (u32)MOST_PROCESSES);
    process_count = (u32)count;
}

u64 process_root_create(void) {
    u64 *root = pages_alloc(1);
    memcpy(root, direct(kernel_cr3), LVD_PAGE_SIZE);
    return physical(root);
}

/* Without an exit if it is among the latest four here. */
void process_root_load(u64 cr3) {
    vmfunc_state_page.cr3 = cr3;
    if (read_cr3() != cr3)
        write_cr3(cr3);
}

void process_root_end(u64 cr3) {
    if (monitor_running)
        domains_forget_root(cr3);
    pages_free(direct(cr3), 1);
}

static struct process *create(void) {
    struct process *process = kzalloc(sizeof *process);
    u64 entry = LVD_USER_TEXT, **pages = process->pages;

    process->cr3 = process_root_create();
    pages[0] = direct(process->cr3);
    for (u32 n = 1; n < USER_PAGES; n++)
        pages[n] = pages_alloc(1);
    for (u32 level = 0; level < 3; level++)
        pages[level][entry >> (39 - 9 * level) & 511] = physical(pages[level + 1]) | PTE_PRESENT | PTE_WRITE | PTE_USER;
    pages[3][entry >> 12 & 511] = physical(user_text) | PTE_PRESENT | PTE_USER;
    pages[3][(LVD_USER_STACK >> 12) & 511] = physical(pages[4]) | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NO_EXECUTE;
    process->number = __sync_add_and_fetch(&started, 1);
    process->frame = (struct trap_frame){
        .rip = entry, .cs = USER_CS, .rflags = 0x202, .rsp = LVD_USER_STACK + LVD_PAGE_SIZE, .ss = USER_DS,
        .rbx = process->number == 1 ? attack : 0,
    };
    __sync_fetch_and_add(&lvd_counters.processes, 1);
    return process;
}

/* Its root may still be among the CR3-target values: no view has anything there any more but the domain's own root (I3). */
static void end(u32 cpu, struct process *process) {
    for (u32 n = 0; n < process_count; n++)
        if (cpus[cpu].slots[n] == process)
            cpus[cpu].slots[n] = NULL;
    if (read_cr3() == process->cr3)
        process_root_load(kernel_cr3);
    process_root_end(process->cr3);
    for (u32 n = 1; n < USER_PAGES; n++)
        pages_free(process->pages[n], 1);
    kfree(process);
}

static void kill(u32 cpu, struct process *process) {
    const struct trap_frame *frame = &process->frame;
    if (process->cause)
        print("process %u: left the kernel's view by itself (cause %llu, detail %llx); ended\n", process->number, process->cause,
              frame->error);
    else
        print("process %u: exception %llu, error %llx, at %llx; ended\n", process->number, frame->vector, frame->error, frame->rip);
    __sync_fetch_and_add(&lvd_counters.processes_killed, 1);
    end(cpu, process);
}

/* From interrupts.S, on the stack of user_run's caller. 0: back to ring 3. */
u64 user_trap(struct trap_frame *frame) {
    if (frame->vector >= 32 && frame->vector != VECTOR_USER) {
        irq_handler(frame, 0);
        return 0;
    }
    current()->process->frame = *frame;
    return 1;
}

/* From crossing.S: the process was in a domain's view, where it has nothing. */
void user_violation(u64 cause, u64 detail, u64 rip, u64 address) {
    (void)rip, (void)address;
    current()->process->cause = cause;
    current()->process->frame.error = detail;
    wipe_interrupt_frames(cpu_number());
}

void processes_turn(u32 cpu) {
    for (;;) {
        struct process **slot = &cpus[cpu].slots[cpus[cpu].turn = (cpus[cpu].turn + 1) % process_count], *process;
        if (!*slot)
            *slot = create();
        process = *slot;
        process_root_load(process->cr3);
        for (;;) {
            current()->process = process;
            user_run(&process->frame);
            current()->process = NULL;
            if (process->cause || process->frame.vector != VECTOR_USER) {
                kill(cpu, process);
                break;
            }
            if ((u32)process->frame.rax == LVD_USER_SEND)
                return;
            if ((u32)process->frame.rax == LVD_USER_REFUSED)
                print("process %u: the monitor has answered none of its calls\n", process->number);
            else
                print("process %u: the monitor has answered %x\n", process->number, (u32)process->frame.rdi);
        }
    }
}

void processes_packet_is_sent(u32 cpu) {
    struct process *process = cpus[cpu].slots[cpus[cpu].turn];
    if (++process->sent == packets_each)
        end(cpu, process);
}

void processes_end(u32 cpu) {
    for (u32 n = 0; n < process_count; n++)
        if (cpus[cpu].slots[n])
            end(cpu, cpus[cpu].slots[n]);
}
