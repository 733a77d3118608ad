/* C half of interrupts and exceptions. Comes from interrupts.S on a kernel stack with the kernel's view and GS. */
#include "domain.h"
#include "softirq.h"
#include "threads.h"

static struct lvd_cpu_results *counters(void) { return &lvd_results.per_cpu[cpu_number()]; }

/* inside: 0 plain kernel, 1 on the kernel's side of a crossing, 2 in a domain. Not 0 when the domain has been terminated. */
u64 irq_handler(struct trap_frame *frame, u64 inside) {
    counters()->interrupts++;
    if (inside)
        domain_changed_root();
    if (inside == 2)
        counters()->interrupts_inside++;
    if (frame->vector != VECTOR_SPURIOUS)
        apic_end_of_interrupt();
    if (frame->vector == VECTOR_CALL)
        smp_call_here();
    /* Schedulers balance their load by the tick: one processor's timer interrupts another one. */
    if (frame->vector == VECTOR_TIMER && timer_interrupt() && nr_cpu_ids > 1)
        apic_send((cpu_number() + 1) % nr_cpu_ids, VECTOR_POKE);
    if (inside == 2 && preemption_full && frame->vector == VECTOR_TIMER)
        threads_switch_inside();
#ifndef WEAK_A8
    if (inside) {
        const struct crossing_frame *call = (const void *)(frame + 1); /* the frame was copied to below kernel_esp */
        if (!(call->rflags & 0x200)) { /* entered with interrupts off, yet one arrived: the domain turned them on (A8) */
            domain_killed(LVD_CAUSE_INTERRUPT_FLAG, frame->vector, frame->rip, 0);
            return 1;
        }
        return current()->domain->dead;
    }
#endif
    if (!inside)
        softirq_from_interrupt();
    return 0;
}

void nmi_handler(struct trap_frame *frame, u64 inside) {
    (void)frame;
    counters()->nmis++;
    counters()->nmis_inside += inside;
}

void exception_handler(struct trap_frame *frame) {
    u64 cr2;
    asm volatile("movq %%cr2, %0" : "=r"(cr2));
    panic("exception %llu, error %llx, RIP %llx, RSP %llx, CR2 %llx", frame->vector, frame->error, frame->rip, frame->rsp, cr2);
}

void entry_state_impossible(struct trap_frame *frame) {
    panic("vector %llu arrived in a state that cannot be: CS %llx, RIP %llx", frame->vector, frame->cs, frame->rip);
}

void upcall_without_domain(void) {
    panic("the monitor reports a violation, but no domain is entered");
}
