/*
 * Domain crossings. Two pages of code are mapped in the kernel and in every domain, at the same address: the trampoline (kernel
 * calls domain) and the springboard (domain calls kernel). They hold no data, and each VMFUNC is followed by jumps to what exists in
 * the destination only. Message words travel in RDI RSI RDX R8 R9 R10 R11 R12.
 *
 * On the kernel's side of a crossing nothing that came out of a domain is used before it has been replaced from memory that
 * the domain cannot write: GS base and stack pointer come from vmfunc_state_page, flags from the suspended frame (rule I5).
 */
#include <lvd/layout.h>
#include "callee_saved.h"
#include "offsets.h"
#include "vmfunc.h"

    .macro LOAD_MESSAGE from
    movq 0(\from), %rdi
    movq 8(\from), %rsi
    movq 16(\from), %rdx
    movq 24(\from), %r8
    movq 32(\from), %r9
    movq 40(\from), %r10
    movq 48(\from), %r11
    movq 56(\from), %r12
    .endm

    .macro STORE_MESSAGE to
    movq %rdi, 0(\to)
    movq %rsi, 8(\to)
    movq %rdx, 16(\to)
    movq %r8, 24(\to)
    movq %r9, 32(\to)
    movq %r10, 40(\to)
    movq %r11, 48(\to)
    movq %r12, 56(\to)
    .endm

/* Nothing of the kernel's may be left in a register when a domain gets control (S11); RAX, RCX and the message follow. */
    .macro SCRUB_REGISTERS
    xorl %ebx, %ebx
    xorl %ebp, %ebp
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    .endm

/*
 * The first thing on the kernel's side: GS, then the stack, from the state page; R13 := kernel_esp, RBX := the flags that the domain left.
 * They are read while the CPU still counts as inside the domain and interrupts are then off, so a domain that turned
 * them on is caught either here or by the interrupt itself (A8).
 */
    .macro LEAVE_DOMAIN
    movq STATE(KERNEL_GS_BASE), %rax
    wrgsbase %rax
    movq STATE(KERNEL_ESP), %r13
    movq %gs:LVD_PERCPU_CURRENT, %rax
    movq %rsp, THREAD_LCD_STACK(%rax)
    movq $1, STATE(LCD_STACK_SAVED)
    leaq STATE(FLAGS_END), %rsp
    pushfq
    cli
    movq %r13, %rsp
    movq $0, STATE(ENTERED_LCD)
    movq STATE(FLAGS), %rbx
    .endm

/*
 * u64 vmfunc_trampoline_entry(struct lvd_message *message, u64 lcd_stack, u64 domain_gs)
 * Calls the domain in list entry 1. 0: the reply is in *message. 1: the domain was terminated meanwhile.
 */
    .text
    .globl vmfunc_trampoline_entry
vmfunc_trampoline_entry:
    PUSH_CALLEE_SAVED
    pushfq                                   /* struct crossing_frame, from high to low */
    pushq %rdi
    pushq STATE(KERNEL_ESP)                  /* of the call around this one */
    movq %rdi, %rax
    movq %rdx, %rcx
    /* In this order: an interrupt at any instruction must find a way back (4.3). */
    movq %rsp, STATE(KERNEL_ESP)
    movq $1, STATE(ENTERED_LCD)
    movq %rsi, %rsp
    movq $0, STATE(LCD_STACK_SAVED)
    wrgsbase %rcx
    LOAD_MESSAGE %rax
    SCRUB_REGISTERS
    jmp vmfunc_trampoline

    .section .vmfunc.trampoline.text, "ax", @progbits
    .p2align 12
    .globl vmfunc_trampoline
vmfunc_trampoline:
    VMFUNC_TO VIEW_DOMAIN, vmfunc_trampoline_abort
    callq *STATE(DOMAIN_ENTRY)               /* the domain's copy of the state page */
    VMFUNC_TO VIEW_KERNEL, vmfunc_trampoline_abort
    jmp vmfunc_trampoline_out
vmfunc_trampoline_abort:
    VMFUNC_ABORT

    .text
/* Back in the kernel's view. Every register and the flags are the domain's choice. */
vmfunc_trampoline_out:
    LEAVE_DOMAIN
    popq STATE(KERNEL_ESP)
    popq %r13
    STORE_MESSAGE %r13
    movq (%rsp), %rdi
    popfq                                    /* DF, TF, AC, NT ... as the kernel had them */
    xorl %eax, %eax
    xorl %ebx, %edi
    testl $0x200, %edi                       /* RFLAGS.IF must have survived (A8) */
    jnz 2f
1:  POP_CALLEE_SAVED
    ret
2:  subq $8, %rsp
    call domain_changed_interrupt_flag
    addq $8, %rsp
    movl $1, %eax
    jmp 1b

/* int springboard(struct lvd_message *message), executed inside a domain: the kernel answers in *message. */
    .section .vmfunc.springboard.text, "ax", @progbits
    .p2align 12
    .globl vmfunc_springboard_entry, vmfunc_springboard_return
vmfunc_springboard_entry:
    PUSH_CALLEE_SAVED
    pushq %rdi
    movq %rdi, %rax
    LOAD_MESSAGE %rax
    VMFUNC_TO VIEW_KERNEL, vmfunc_springboard_abort
    jmp vmfunc_kernel_springboard
vmfunc_springboard_return:
    VMFUNC_TO VIEW_DOMAIN, vmfunc_springboard_abort
    popq %r13
    STORE_MESSAGE %r13
    POP_CALLEE_SAVED
    ret
vmfunc_springboard_abort:
    VMFUNC_ABORT

    .text
/* The kernel's side of a call out of a domain. Every register and the flags are the domain's choice. */
vmfunc_kernel_springboard:
    LEAVE_DOMAIN
    pushq CROSSING_RFLAGS(%r13)
    popfq
    pushq %r12                               /* struct lvd_message */
    pushq %r11
    pushq %r10
    pushq %r9
    pushq %r8
    pushq %rdx
    pushq %rsi
    pushq %rdi
    xorq CROSSING_RFLAGS(%r13), %rbx
    movq %rsp, %rdi
    movl %ebx, %esi
    andl $0x200, %esi                        /* not 0: the domain changed RFLAGS.IF (A8) */
    call lvd_kernel_dispatch
    movq %gs:LVD_PERCPU_CURRENT, %rcx
    testl %eax, %eax
    jnz 1f
    popq %rdi
    popq %rsi
    popq %rdx
    popq %r8
    popq %r9
    popq %r10
    popq %r11
    popq %r12
    movq %rsp, STATE(KERNEL_ESP)
    movq $1, STATE(ENTERED_LCD)
    movq THREAD_DOMAIN_GS(%rcx), %rax
    movq THREAD_LCD_STACK(%rcx), %rsp
    movq $0, STATE(LCD_STACK_SAVED)
    wrgsbase %rax
    SCRUB_REGISTERS
    jmp vmfunc_springboard_return
1:  addq $64, %rsp
    movq %rsp, STATE(KERNEL_ESP)
    /* fall through: the domain is gone */

/* Leaves the innermost kernel-to-domain call of this CPU with the answer "terminated". RSP is free to be anything. */
    .globl lvd_unwind
lvd_unwind:
    movq STATE(KERNEL_ESP), %rsp
    popq STATE(KERNEL_ESP)
    addq $8, %rsp
    popfq
    POP_CALLEE_SAVED
    movl $1, %eax
    ret

/*
 * The monitor, or an exception handler, found the domain on this CPU breaking a rule. RDI cause, RSI detail, RDX RIP in
 * the domain, RCX address. The kernel's view is active; GS, RSP and flags are not trusted.
 */
    .globl lvd_upcall_entry
lvd_upcall_entry:
    cli
    cld
    movq STATE(KERNEL_GS_BASE), %rax
    wrgsbase %rax
    movq $1, STATE(LCD_STACK_SAVED)
    cmpq $0, STATE(ENTERED_LCD)
    je lvd_upcall_without_domain
    movq STATE(KERNEL_ESP), %rsp
    movq $0, STATE(ENTERED_LCD)
    pushq CROSSING_RFLAGS(%rsp)
    andq $~0x200, (%rsp)                     /* interrupts stay off until the frame is unwound */
    popfq
    call domain_killed
    jmp lvd_unwind
lvd_upcall_without_domain:
    movq %gs:LVD_PERCPU_CURRENT, %rax
    movq THREAD_USER_RSP(%rax), %rax
    testq %rax, %rax
    jz 2f
    movq %rax, %rsp                          /* a process has executed VMFUNC itself (S14): it ends, and nothing else */
    call user_violation
    jmp user_leave
2:  movq STATE(NMI_STACK), %rsp              /* a stack that is certainly there */
    call upcall_without_domain               /* does not return */
1:  hlt
    jmp 1b


/* void thread_switch(u64 *save_rsp, u64 load_rsp): one thread's stack for another's, with what the C convention keeps. */
    .globl thread_switch
thread_switch:
    PUSH_CALLEE_SAVED
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    POP_CALLEE_SAVED
    ret

    .section .note.GNU-stack, "", @progbits
