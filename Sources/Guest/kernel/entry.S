/*
 * Interrupt and exception entry: .entry.text is mapped in the kernel and in every domain, so a vector can be delivered
 * whichever view is active. Each stub saves the registers on the IST stack, asks the state page which view it is in, and goes
 * to the kernel's view if need be. What follows lies in kernel text, which no domain has (interrupts.S).
 *
 * A domain may jump anywhere in here. So after each VMFUNC to the kernel nothing is trusted: the stack pointer must be the one
 * value that the processor itself would have produced, and the answer "came from a domain" is a constant of the path, not a register.
 */
#include <lvd/layout.h>
#include "offsets.h"
#include "vmfunc.h"

    .macro SAVE_REGISTERS
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    .endm

    .macro RESTORE_REGISTERS_AND_RETURN
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
    addq $16, %rsp                           /* vector, error code */
    iretq
    .endm

    .section .entry.text, "ax", @progbits
    .p2align 12

/* 256 stubs of 16 bytes. SDM 3A 6.3.1: vectors 8, 10 to 14, 17, 21, 29 and 30 come with an error code. */
    .globl entry_stubs
entry_stubs:
    .set vector, 0
    .rept 256
    .p2align 4
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    .byte 0x68                               /* PUSH imm32: one length for all vectors */
    .long vector
    .if vector == 2
    jmp entry_nmi
    .elseif vector < 32
    jmp entry_exception
    .else
    jmp entry_irq
    .endif
    .set vector, vector + 1
    .endr

    .p2align 4
    .globl entry_irq
entry_irq:
    SAVE_REGISTERS
    cmpq $0, STATE(IN_KERNEL)
    jne irq_in_kernel_view
    VMFUNC_TO VIEW_KERNEL, entry_abort
    cmpq STATE(IRQ_FRAME), %rsp
    jne entry_abort
    jmp irq_from_domain

    .globl irq_return_to_domain
irq_return_to_domain:
    VMFUNC_TO VIEW_DOMAIN, entry_abort
    RESTORE_REGISTERS_AND_RETURN

    .globl entry_nmi
entry_nmi:
    SAVE_REGISTERS
    cmpq $0, STATE(IN_KERNEL)
    jne nmi_in_kernel_view
    VMFUNC_TO VIEW_KERNEL, entry_abort
    cmpq STATE(NMI_FRAME), %rsp
    jne entry_abort
    jmp nmi_from_domain

    .globl entry_exception
entry_exception:
    SAVE_REGISTERS
    cmpq $0, STATE(IN_KERNEL)
    jne exception_in_kernel_view
#ifdef WEAK_A5                               /* breakpoints are the domain's own affair */
    cmpq $3, FRAME_VECTOR(%rsp)
    jne 1f
    RESTORE_REGISTERS_AND_RETURN
1:
#endif
    /* For the report only; read while the stack is still the domain's to read. */
    movq FRAME_VECTOR(%rsp), %rdi
    movq FRAME_ERROR(%rsp), %rsi
    movq FRAME_RIP(%rsp), %rdx
    movq %cr2, %r8
    VMFUNC_TO VIEW_KERNEL, entry_abort
    jmp exception_from_domain

entry_abort:
    VMFUNC_ABORT

    .text
    .globl entry_return
entry_return:
    RESTORE_REGISTERS_AND_RETURN

    .section .note.GNU-stack, "", @progbits
