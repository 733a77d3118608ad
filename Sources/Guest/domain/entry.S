/* Entry into the domain, and the per-CPU offsets that modules link against. */
#include <lvd/layout.h>

    .text
/*
 * The trampoline calls this through the state page with a message in RDI RSI RDX R8 R9 R10 R11 R12, on a stack of this domain (or below
 * the frames of a suspended call), and takes the reply from the same registers.
 */
    .globl domain_dispatch
domain_dispatch:
    pushq %rbp
    movq %rsp, %rbp
    andq $-16, %rsp
    pushq %r12
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdx
    pushq %rsi
    pushq %rdi
    movq %rsp, %rdi
    call domain_handle
    popq %rdi
    popq %rsi
    popq %rdx
    popq %r8
    popq %r9
    popq %r10
    popq %r11
    popq %r12
    movq %rbp, %rsp
    popq %rbp
    ret

/* GS offsets, so absolute: `addq %gs:this_cpu_off(%rip), ...`. */
    .globl this_cpu_off, cpu_number, current_task, __preempt_count
    .set this_cpu_off, LVD_PERCPU_THIS_CPU_OFF
    .set cpu_number, LVD_PERCPU_CPU_NUMBER
    .set current_task, LVD_PERCPU_CURRENT
    .set __preempt_count, LVD_PERCPU_PREEMPT_COUNT

    .section .note.GNU-stack, "", @progbits
