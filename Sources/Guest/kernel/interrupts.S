/* The kernel's part of interrupt entry and exit; comes from entry.S with the kernel's view active. The four-way table of 4.3. */
#include <lvd/layout.h>
#include <lvd/causes.h>
#include "callee_saved.h"
#include "offsets.h"
#include "vmfunc.h"

/* Copies the frame at \from to below the stack pointer. */
    .macro PUSH_FRAME from
    .set offset, FRAME_SIZE - 8
    .rept FRAME_SIZE / 8
    pushq offset(\from)
    .set offset, offset - 8
    .endr
    .endm

/* An IST stack is in a domain's view too: nothing of the kernel's may stay there (S11). Clobbers RAX, RCX, RDI. */
    .macro WIPE_FRAME at
#ifndef WEAK_S11
    movq \at, %rdi
    xorl %eax, %eax
    movl $FRAME_SIZE / 8, %ecx
    rep stosq
#endif
    .endm

/* Before the view becomes the domain's: an NMI right behind the VMFUNC saves the registers where the domain can read (S11). */
    .macro SCRUB_ALL_REGISTERS
    xorl %ebx, %ebx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    .endm

/* Back into the domain by way of the IST stack that \frame names: both views have it. The frame to go by is at RSP. */
    .macro RETURN_TO_DOMAIN frame
    movq %rsp, %rsi
    movq \frame, %rsp
    addq $FRAME_SIZE, %rsp
    PUSH_FRAME %rsi
    wrgsbase %r14
    SCRUB_ALL_REGISTERS
    jmp irq_return_to_domain
    .endm

    .text
/* in_kernel 1. */
    .globl irq_in_kernel_view
irq_in_kernel_view:
    cld
    testb $3, FRAME_CS(%rsp)
    jnz entry_from_user
    cmpq $0, STATE(ENTERED_LCD)
    jne irq_in_window

/* (1, 0): plain kernel. Leave the IST stack for the interrupted one, so that it may be used again. */
    movq %rsp, %rsi
    movq FRAME_RSP(%rsi), %rsp
    andq $-16, %rsp
    PUSH_FRAME %rsi
    WIPE_FRAME %rsi
    movq STATE(KERNEL_ESP), %r13             /* the handler may call domains */
    movq %rsp, %rdi
    xorl %esi, %esi
    call irq_handler
    cli
    movq %r13, STATE(KERNEL_ESP)
    jmp entry_return

/* (0, 1): inside the domain; the stub has brought us to the kernel's view and proved RSP. */
    .globl irq_from_domain
irq_from_domain:
    cld
    xorl %ebx, %ebx
    cmpq $0, STATE(ENTERED_LCD)
    je irq_without_domain
    jmp irq_with_domain
/* (1, 1): on the kernel's side of a crossing; RSP and GS may be the domain's already, or still. */
irq_in_window:
    movl $1, %ebx
irq_with_domain:
    movq %rsp, %rsi
    rdgsbase %r14
    movq STATE(KERNEL_GS_BASE), %rax
    wrgsbase %rax
    movq STATE(KERNEL_ESP), %r13
    movq STATE(LCD_STACK_SAVED), %r12
    movq %r13, %rsp
    PUSH_FRAME %rsi
    WIPE_FRAME %rsi
    testb $3, FRAME_CS(%rsp)
    jnz irq_domain_in_user_mode
    movq %gs:LVD_PERCPU_CURRENT, %rbp
    testq %r12, %r12
    jnz 1f
    movq FRAME_RSP(%rsp), %rax
    movq %rax, THREAD_LCD_STACK(%rbp)
    movq $1, STATE(LCD_STACK_SAVED)
1:  pushq THREAD_LCD_STACK(%rbp)             /* the handler may call this domain again, below that */
    pushq %r12
    movq $0, STATE(ENTERED_LCD)
    leaq 16(%rsp), %rdi
    movl $1, %esi
    subl %ebx, %esi
    incl %esi                                /* 2 inside the domain, 1 in the window */
    call irq_handler
    cli
    movq %r13, STATE(KERNEL_ESP)
    testl %eax, %eax
    jnz lvd_unwind
    popq %r12
    movq %gs:LVD_PERCPU_CURRENT, %rbp
    popq THREAD_LCD_STACK(%rbp)
    cmpq $0, THREAD_MIGRATED(%rbp)
    je 3f
    movq $0, THREAD_MIGRATED(%rbp)
    movq THREAD_DOMAIN_GS(%rbp), %r14
3:
    movq $1, STATE(ENTERED_LCD)
    movq %r12, STATE(LCD_STACK_SAVED)
    testl %ebx, %ebx
    jnz 2f
    RETURN_TO_DOMAIN STATE(IRQ_FRAME)
2:  wrgsbase %r14
    jmp entry_return

irq_domain_in_user_mode:                     /* a domain has no business in ring 3 */
    movl $LVD_CAUSE_EXCEPTION, %edi
    movl $256, %esi
    movq FRAME_RIP(%rsp), %rdx
    xorl %ecx, %ecx
    jmp lvd_upcall_entry

/* NMI: never schedules, never enters a domain, touches no crossing state. It runs on a stack of the kernel's own. */
    .globl nmi_in_kernel_view, nmi_from_domain
nmi_from_domain:
    xorl %ebx, %ebx
    jmp 1f
nmi_in_kernel_view:
    movl $1, %ebx
1:  cld
    movq %rsp, %rsi
    rdgsbase %r14
    movq STATE(KERNEL_GS_BASE), %rax
    testq %rax, %rax                         /* 0: nothing but the kernel has ever run here, GS is its own */
    jz 2f
    wrgsbase %rax
2:  movq %gs:PERCPU_NMI_STACK, %rsp
    PUSH_FRAME %rsi
    WIPE_FRAME %rsi
    movq %rsp, %rdi
    movl $1, %esi
    subl %ebx, %esi
    call nmi_handler
    testl %ebx, %ebx
    jz 3f
    wrgsbase %r14
    jmp entry_return
3:  RETURN_TO_DOMAIN STATE(NMI_FRAME)

/* An exception in the kernel's view: the domain's doing if one is entered (say, a single-step trap carried across VMFUNC). */
    .globl exception_in_kernel_view, exception_from_domain
exception_in_kernel_view:
    cld
    testb $3, FRAME_CS(%rsp)
    jnz entry_from_user
    cmpq $0, STATE(ENTERED_LCD)
    je 1f
    movq FRAME_VECTOR(%rsp), %rdi
    movq FRAME_ERROR(%rsp), %rsi
    movq FRAME_RIP(%rsp), %rdx
    movq %cr2, %r8
    jmp exception_from_domain
1:  movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call exception_handler
    movq %rbp, %rsp
    jmp entry_return

/* RDI vector, RSI error code, RDX RIP, R8 CR2. Vectors below 32 in a domain are an attack (A5). */
exception_from_domain:
    shlq $32, %rsi
    orq %rdi, %rsi
    movq %r8, %rcx
    movl $LVD_CAUSE_EXCEPTION, %edi
    jmp lvd_upcall_entry

/* (0, 0): a process has executed VMFUNC itself (S14), and the interrupt was faster than the fault behind it. */
irq_without_domain:
    testb $3, FRAME_CS(%rsp)
    jz entry_impossible

/* (1, 0, 3): a process. Its thread waits in user_run, on whose stack this goes on. */
entry_from_user:
    movq %rsp, %rsi
    rdgsbase %r14
    movq STATE(KERNEL_GS_BASE), %rax
    wrgsbase %rax
    cmpq $0, STATE(ENTERED_LCD)
    jne entry_impossible                     /* (1, 1, 3) */
    movq %gs:LVD_PERCPU_CURRENT, %rbp
    movq THREAD_USER_RSP(%rbp), %rax
    testq %rax, %rax
    jz entry_impossible
    movq %rax, %rsp
    PUSH_FRAME %rsi
    WIPE_FRAME %rsi
    movq STATE(KERNEL_ESP), %r13
    movq %rsp, %rdi
    call user_trap
    cli
    movq %r13, STATE(KERNEL_ESP)
    testl %eax, %eax
    jnz user_leave
    wrgsbase %r14
    jmp entry_return

/* void user_run(const struct trap_frame *frame): ring 3 from that frame on, until the process calls the kernel or ends. */
    .globl user_run, user_leave
user_run:
    PUSH_CALLEE_SAVED
    pushfq
    cli
    movq %gs:LVD_PERCPU_CURRENT, %rax
    movq %rsp, THREAD_USER_RSP(%rax)         /* 16-byte aligned, as a call wants it */
    PUSH_FRAME %rdi
    xorl %eax, %eax
    wrgsbase %rax
    jmp entry_return
user_leave:                                  /* SS is null behind a delivery from ring 3 */
    movq %gs:LVD_PERCPU_CURRENT, %rbp
    movq THREAD_USER_RSP(%rbp), %rsp
    movq $0, THREAD_USER_RSP(%rbp)
    movl $KERNEL_DS, %eax
    movw %ax, %ss
    popfq
    POP_CALLEE_SAVED
    ret

entry_impossible:
    movq %rsp, %rdi
    andq $-16, %rsp
    call entry_state_impossible
1:  hlt
    jmp 1b

    .section .note.GNU-stack, "", @progbits
