/* x87, MXCSR, XMM and, where there is XSAVE, the upper halves of YMM. Compiled code in the kernel never touches them. */
#include "offsets.h"

/* void extended_save(struct extended_area *), void extended_restore(const struct extended_area *) */
    .text
    .globl extended_save, extended_restore
extended_save:
    cmpl $0, extended_has_xsave(%rip)
    je 1f
    xorl %eax, %eax
    .irp offset, 512, 520, 528, 536, 544, 552, 560, 568
    movq %rax, \offset(%rdi)                  /* XRSTOR wants zeros in the header where XSAVE writes nothing */
    .endr
    movl $7, %eax
    xorl %edx, %edx
    xsave64 (%rdi)
    ret
1:  fxsave64 (%rdi)
    ret

extended_restore:
    cmpl $0, extended_has_xsave(%rip)
    je 1f
    movl $7, %eax
    xorl %edx, %edx
    xrstor64 (%rdi)
    ret
1:  fxrstor64 (%rdi)
    ret

/* void extended_fill(u64 value): XMMn := value + n in both halves. bool extended_holds(u64 value): whether they still are. */
    .globl extended_fill, extended_holds
extended_fill:
    .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movq %rdi, %xmm\register
    punpcklqdq %xmm\register, %xmm\register
    incq %rdi
    .endr
    ret

extended_holds:
    xorl %eax, %eax
    subq $16, %rsp
    .irp register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movdqu %xmm\register, (%rsp)
    cmpq %rdi, (%rsp)
    jne 1f
    cmpq %rdi, 8(%rsp)
    jne 1f
    incq %rdi
    .endr
    incl %eax
1:  addq $16, %rsp
    ret

    .section .note.GNU-stack, "", @progbits
