/*
 * The program of all processes, on a page of its own that each maps at LVD_USER_TEXT: asks for a packet to be sent, again and again.
 * With an attack in RBX it does that at its fourth turn.
 */
#include <lvd/hypercalls.h>
#include <lvd/layout.h>
#include <lvd/user.h>

    .macro CALL_KERNEL number
    movl $\number, %eax
    int $LVD_USER_VECTOR
    .endm

    .macro ON attack, target
    cmpl $\attack, %ebx
    je \target
    .endm

    .section .user.text, "ax", @progbits
    .p2align 12
    .globl user_text
user_text:
    movl $3, %r12d
1:  CALL_KERNEL LVD_USER_SEND
    decl %r12d
    jnz 1b
    ON LVD_USER_ATTACK_VMCALL, user_vmcall
    ON LVD_USER_ATTACK_HYPERCALL, user_hypercalls
    ON LVD_USER_ATTACK_VMFUNC, user_vmfunc
    ON LVD_USER_ATTACK_VMFUNC_INDEX, user_vmfunc_index
    ON LVD_USER_ATTACK_VMFUNC_FUNCTION, user_vmfunc_function
    ON LVD_USER_ATTACK_SGDT, user_sgdt
user_send:
    CALL_KERNEL LVD_USER_SEND
    jmp user_send

user_vmcall:
    movl $LVD_LEAF_ACK, %eax
    vmcall
    jmp user_send

user_vmfunc:
    xorl %eax, %eax
    movl $1, %ecx
    vmfunc
    jmp user_send
user_vmfunc_index:
    xorl %eax, %eax
    movl $2, %ecx
    vmfunc
    jmp user_send
user_vmfunc_function:
    movl $1, %eax
    xorl %ecx, %ecx
    vmfunc
    jmp user_send

user_sgdt:
    sgdt lvd_counters
    jmp user_send

/* Each leaf of the monitor's must answer as a leaf that nobody has. The harmless ones come first, leaving VMX operation last. */
user_hypercalls:
    leaq user_leaves(%rip), %r13
2:  movl (%r13), %r14d
    testl %r14d, %r14d
    jz 3f
    movl $LVD_LEAF_NOBODY, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    cpuid
    movl %eax, %r8d
    movl %ebx, %r9d
    movl %ecx, %r10d
    movl %edx, %r11d
    movl %r14d, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    cpuid
    xorl %r8d, %eax
    xorl %r9d, %ebx
    xorl %r10d, %ecx
    xorl %r11d, %edx
    orl %ebx, %eax
    orl %ecx, %eax
    orl %edx, %eax
    jnz 4f
    addq $4, %r13
    jmp 2b
3:  CALL_KERNEL LVD_USER_REFUSED
    jmp user_send
4:  movl %r14d, %edi
    CALL_KERNEL LVD_USER_ANSWERED
    jmp user_send

user_leaves:
    .long LVD_LEAF_ACK, LVD_LEAF_EXIT_COUNT, LVD_LEAF_INVALIDATE, LVD_LEAF_INSTALL_EPTP_LIST, LVD_LEAF_MAP_PAGE
    .long LVD_LEAF_CONSOLE, LVD_LEAF_LOCK, LVD_LEAF_ABORT, LVD_LEAF_PROMOTE, 0
    .p2align 12

    .section .note.GNU-stack, "", @progbits
