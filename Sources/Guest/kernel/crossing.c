/* The C side of crossings: entry into a domain, requests out of it, its end. */
#include "domain.h"
#include "extended.h"
#include "monitor.h"

#ifdef WEAK_A9
enum { STACK_THRESHOLD = 0 };
#else
enum { STACK_THRESHOLD = 6 * 1024 };
#endif

u64 vmfunc_trampoline_entry(struct lvd_message *message, u64 lcd_stack, u64 domain_gs);
bool glue_call(struct domain *domain, struct lvd_message *message, u64 *registers);
bool domain_grow_heap(struct domain *domain, u64 pages);

static const char *const cause_texts[] = {
    [LVD_CAUSE_NONE] = "",
#define X(number, name, text) [number] = text,
    LVD_CAUSES(X)
#undef X
};

static void kill_domain(struct domain *domain, u64 cause, u64 detail, u64 rip, u64 address) {
    if (__sync_lock_test_and_set(&domain->dead, 1))
        return; /* another CPU was first, for a reason of its own */
    lvd_results.drivers[domain->id].kills++;
    for (u32 cpu = 0; cpu < nr_cpu_ids; cpu++)
        if (cpu != cpu_number())
            apic_send(cpu, VECTOR_KICK);
    if (!lvd_results.kill.cause) {
        lvd_results.kill.cpu = cpu_number();
        lvd_results.kill.detail = detail;
        lvd_results.kill.rip = rip;
        lvd_results.kill.address = address;
        lvd_results.kill.cause = (u32)cause;
    }
    print("domain %u: %s %s: detail %llx, RIP %llx, address %llx; terminated\n", domain->id, domain->name,
          cause < ARRAY_SIZE(cause_texts) ? cause_texts[cause] : "did something unknown", detail, rip, address);
}

/*
 * A domain can load the CR3-target values of its CPU without an exit. In its view each is its own root or nothing (I3), but in the
 * kernel's it is another process, or what a process that has ended left behind: the kernel's own root comes back first.
 */
static bool restore_root(u64 *found) {
    *found = read_cr3();
    if (*found == vmfunc_state_page.cr3)
        return false;
    write_cr3(vmfunc_state_page.cr3);
    return true;
}
bool domain_changed_root(void) {
    u64 found;
    bool changed = restore_root(&found);
    if (changed)
        kill_domain(current()->domain, LVD_CAUSE_CONTROL_REGISTER, found, 0, 0);
    return changed;
}

/* On the kernel stack of the thread whose domain it is; the caller unwinds the crossing. */
void domain_killed(u64 cause, u64 detail, u64 rip, u64 address) {
    u64 found;
    restore_root(&found);
    apic_finish_interrupts(); /* the monitor may have struck while one was on its way out of the domain */
    kill_domain(current()->domain, cause, detail, rip, address);
}
/* On the thread that called it, which is outside again. */
void domain_answered_badly(struct domain *domain, u64 detail) { kill_domain(domain, LVD_CAUSE_BAD_MESSAGE, detail, 0, 0); }
void domain_changed_interrupt_flag(void) { domain_killed(LVD_CAUSE_INTERRUPT_FLAG, 0, 0, 0); }

/* A free stack, of *owner's pool if there is one: threads that were switched away from may hold all of those. 0: all are in use. */
static u64 pick_stack(struct domain *domain, u32 *owner, u32 *slot) {
    u64 flags = spin_lock_irqsave(&domain->lock), stack = 0;
    for (u32 n = 0, cpu = *owner; n < nr_cpu_ids && !stack; n++, cpu = (cpu + 1) % nr_cpu_ids) {
        if (!domain->free_stacks[cpu])
            continue;
        *owner = cpu;
        *slot = (u32)__builtin_ctzll(domain->free_stacks[cpu]);
        domain->free_stacks[cpu] &= ~(1ULL << *slot);
        stack = domain->base + LVD_WINDOW_STACKS + (cpu * LVD_STACKS_PER_CPU + *slot + 1ULL) * LVD_STACK_STRIDE;
    }
    spin_unlock_irqrestore(&domain->lock, flags);
    return stack;
}

static void drop_stack(struct domain *domain, u32 cpu, u32 slot) {
    u64 flags = spin_lock_irqsave(&domain->lock);
    domain->free_stacks[cpu] |= 1ULL << slot;
    spin_unlock_irqrestore(&domain->lock, flags);
}

static bool on_own_stacks(struct domain *domain, u64 rsp) {
    u64 start = domain->base + LVD_WINDOW_STACKS;
    return rsp > start && rsp <= start + LVD_MAX_CPUS * LVD_STACKS_PER_CPU * LVD_STACK_STRIDE;
}

/* The domain starts with the initial state; the kernel's is where the domain cannot reach it. */
static __attribute__((noinline)) u64 call_saving_extended(struct lvd_message *message, u64 stack, u64 gs) {
    struct extended_area kernels;
    u64 killed;
    extended_save(&kernels);
    extended_restore(&extended_initial);
    current()->extended = &kernels;
    __sync_fetch_and_add(&lvd_counters.extended_saves, 1);
    killed = vmfunc_trampoline_entry(message, stack, gs);
    extended_restore(&kernels);
    return killed;
}

static bool saves_extended(const struct thread *thread) {
#ifdef WEAK_I5 /* "drivers do not compute in floating point anyway" */
    return false;
#endif
    return extended_mode == EXTENDED_EAGER || (extended_mode == EXTENDED_LAZY && thread->uses_extended);
}

/* Another domain comes into view: nothing of the one before (S11), nor, where it was not saved anyway, in x87 and XMM. */
static void forget_previous(u32 cpu) {
    wipe_interrupt_frames(cpu);
    if (extended_mode == EXTENDED_LAZY && !current()->uses_extended)
        extended_restore(&extended_initial);
}

int vmfunc_klcd_wrapper(struct domain *domain, struct lvd_message *message) {
    struct thread *thread = current(), outer = *thread;
    u32 cpu = cpu_number(), owner = cpu, slot = 0, now;
    u64 *list = eptp_list(cpu), stack, killed;
    bool nested = outer.domain == domain;

    if (domain->dead)
        return -EFAULT;
    if ((u64)__builtin_frame_address(0) - thread->kernel_stack < STACK_THRESHOLD) { /* A9 */
        kill_domain(domain, LVD_CAUSE_STACK_DEPTH, thread->nested_count, 0, 0);
        return -EFAULT;
    }
    stack = nested ? outer.lcd_stack & ~15ULL : pick_stack(domain, &owner, &slot);
    if (nested && !on_own_stacks(domain, stack)) {
        kill_domain(domain, LVD_CAUSE_BAD_MESSAGE, stack, 0, stack);
        return -EFAULT;
    }
    if (!stack)
        return -EBUSY;
    thread->domain = domain; /* from here on deferred work stays away: it may call other domains (softirq.c) */
    asm volatile("" : : : "memory");
    remap_cr3(domain, read_cr3() & PTE_ADDRESS);
    if (list[1] != domain->eptp[cpu]) {
        list[1] = domain->eptp[cpu];
        forget_previous(cpu);
    }
#ifdef WEAK_A2 /* "so that the next call finds it": an entry that stays */
    list[2] = domain->eptp[cpu];
#endif
#ifdef WEAK_A10 /* an entry for each domain, so that none has to be rewritten */
    list[2 + domain->id] = domain->eptp[cpu];
#endif
    thread->domain_gs = domain->base + LVD_WINDOW_PERCPU + cpu * LVD_PERCPU_STRIDE;
    thread->nested_count++;
    thread->extended = NULL;
    lvd_results.per_cpu[cpu].calls++;
    vmfunc_state_page.progress++;

    if (saves_extended(thread))
        killed = call_saving_extended(message, stack, thread->domain_gs);
    else
        killed = vmfunc_trampoline_entry(message, stack, thread->domain_gs);
    domain_changed_root();

    *thread = outer;
    if (outer.domain) /* the thread may have come to another CPU meanwhile */
        thread->domain_gs = outer.domain->base + LVD_WINDOW_PERCPU + cpu_number() * LVD_PERCPU_STRIDE;
    now = cpu_number();
    list = eptp_list(now);
    if (outer.domain && list[1] != outer.domain->eptp[now]) { /* the domain that waits further out goes on here */
        list[1] = outer.domain->eptp[now];
        forget_previous(now);
    }
    if (!nested)
        drop_stack(domain, owner, slot);
    if (!killed && !domain->dead)
        return 0;
    domain_revoke(domain);
    return -EFAULT;
}

static bool syscall(struct domain *domain, struct lvd_message *message) {
    u64 *registers = domain->register_page[cpu_number()], count = message->words[1];
    switch ((u32)message->words[0]) {
    case LVD_SYS_PUTCHARS: /* words[2] bytes of text in the register page */
        if (count != 1 || message->words[2] > LVD_PAGE_SIZE)
            return false;
        console_write((const char *)registers, message->words[2]);
        return true;
    case LVD_SYS_ALLOC_PAGES:
        if (count != 1)
            return false;
        message->words[2] = domain_grow_heap(domain, message->words[2]);
        return true;
    default:
        return capability_call(domain, message);
    }
}

static int dispatch(struct lvd_message *message, u64 flag_changed) {
    struct domain *domain = current()->domain;
    u64 class = message->words[0] >> 32;
    bool good = false;

    lvd_results.per_cpu[cpu_number()].callbacks++;
    vmfunc_state_page.progress++;
    if (domain_changed_root() || domain->dead)
        return 1;
    if (flag_changed) {
        domain_changed_interrupt_flag();
        return 1;
    }
    if (class == LVD_CLASS_SYSCALL && (u32)message->words[0] == LVD_SYS_EXIT) {
        domain_killed(LVD_CAUSE_GAVE_UP, message->words[2], 0, 0);
        return 1;
    }
    if (class == LVD_CLASS_SYSCALL)
        good = syscall(domain, message);
    else if (class == LVD_CLASS_RPC)
        good = glue_call(domain, message, domain->register_page[cpu_number()]);
    if (!good && !domain->dead && domain->misnamed)
        domain_killed(LVD_CAUSE_FORGED + domain->misnamed - CAPABILITY_FORGED, message->words[0], 0, domain->misnamed_name);
    else if (!good && !domain->dead)
        domain_killed(LVD_CAUSE_BAD_MESSAGE, message->words[0], 0, 0);
    return domain->dead != 0;
}

static __attribute__((noinline)) int dispatch_saving_extended(struct lvd_message *message, u64 flag_changed) {
    struct extended_area domains, *kernels = current()->extended;
    int ended;
    extended_save(&domains);
    extended_restore(kernels);
    ended = dispatch(message, flag_changed);
    extended_save(kernels);
    extended_restore(&domains);
    return ended;
}

/* A call out of the domain that this thread is in. Not 0: it has been terminated, do not go back. */
int lvd_kernel_dispatch(struct lvd_message *message, u64 flag_changed) {
    return current()->extended ? dispatch_saving_extended(message, flag_changed) : dispatch(message, flag_changed);
}
