/* Symbols that every module imports from its kernel: compiled-in hooks and the thunks of the Spectre mitigations. */
    .text

    .globl __fentry__, __SCT__cond_resched, __x86_return_thunk
    .globl __SCT__might_resched, __SCT__preempt_schedule, __SCT__preempt_schedule_notrace
__fentry__:
__SCT__might_resched:
__SCT__preempt_schedule:
__SCT__preempt_schedule_notrace:
__SCT__cond_resched:
__x86_return_thunk:
    ret

    .macro THUNK register
    .globl __x86_indirect_thunk_\register
__x86_indirect_thunk_\register:
    jmp *%\register
    .endm
    .irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    THUNK \register
    .endr

    .section .note.GNU-stack, "", @progbits
