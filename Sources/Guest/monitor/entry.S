/* Into and out of the monitor: the kernel's one call, VM exits, faults of the monitor itself. */
#include "../include/lvd/layout.h"
#include "CMonitor/offsets.h"

    .text
/*
 * u64 monitor_entry(const struct lvd_launch *), called by the kernel on each CPU. Returns in VMX non-root operation, straight to
 * the caller: no instruction of the monitor is ever executed there, since the kernel's view does not contain the monitor.
 */
    .globl monitor_entry
monitor_entry:
    movq 8(%rdi), %rax                       /* lvd_launch.cpu */
    cmpq $LVD_MAX_CPUS, %rax
    jae 9f
    imulq $CPU_SIZE, %rax, %rsi
    addq $monitor_cpus, %rsi
    movq %rbx, CPU_RBX(%rsi)
    movq %rbp, CPU_RBX + 8(%rsi)
    movq %r12, CPU_RBX + 16(%rsi)
    movq %r13, CPU_RBX + 24(%rsi)
    movq %r14, CPU_RBX + 32(%rsi)
    movq %r15, CPU_RBX + 40(%rsi)
    movq %rsp, CPU_RSP(%rsi)
    pushfq
    popq CPU_RFLAGS(%rsi)
    movq %rax, (%rsi)
    incq %rax
    imulq $MONITOR_STACK_SIZE, %rax, %rax
    addq $monitor_stacks, %rax
    movq %rax, CPU_STACK_TOP(%rsi)
    movq %rax, %rsp
    movq %rsi, %rbx
1:  lock btsl $0, monitor_launch_lock        /* CPUs may arrive together; they share the page pool */
    jnc 2f
    pause
    jmp 1b
2:  movq %rbx, %rsi
    call monitor_launch
    movl $0, monitor_launch_lock
    testq %rax, %rax
    jnz 3f
    movq %rbx, %rsi
    call restore_kernel_registers
    xorl %eax, %eax
    vmlaunch
    /* Only a failed entry comes here; the stack is the monitor's still. */
    movq -8(%rsp), %rsi
    movq %rsi, %rdi
    movq %rsi, %rbx
    call monitor_launch_failed
3:  movq %rbx, %rsi
    movq CPU_RSP(%rsi), %rdx
    call restore_kernel_registers
    movq %rdx, %rsp
    ret
9:  movl $7, %eax                            /* LVD_LAUNCH_MEMORY */
    ret

/* Keeps RSI, RDX and RAX; leaves the CPU's address in the word below the stack pointer. */
restore_kernel_registers:
    movq CPU_RBX(%rsi), %rbx
    movq CPU_RBX + 8(%rsi), %rbp
    movq CPU_RBX + 16(%rsi), %r12
    movq CPU_RBX + 24(%rsi), %r13
    movq CPU_RBX + 32(%rsi), %r14
    movq CPU_RBX + 40(%rsi), %r15
    movq (%rsp), %rcx
    movq %rsi, (%rsp)
    addq $8, %rsp
    jmp *%rcx

/* Host RIP. Host RSP is the top of this CPU's stack, host GS base its struct monitor_cpu. */
    .globl monitor_exit
monitor_exit:
    subq $128, %rsp
    movq %rax, 0(%rsp)
    movq %rcx, 8(%rsp)
    movq %rdx, 16(%rsp)
    movq %rbx, 24(%rsp)
    movq %rbp, 40(%rsp)
    movq %rsi, 48(%rsp)
    movq %rdi, 56(%rsp)
    movq %r8, 64(%rsp)
    movq %r9, 72(%rsp)
    movq %r10, 80(%rsp)
    movq %r11, 88(%rsp)
    movq %r12, 96(%rsp)
    movq %r13, 104(%rsp)
    movq %r14, 112(%rsp)
    movq %r15, 120(%rsp)
    movq %rsp, %rdi
    rdgsbase %rsi
    call monitor_handle_exit
    movq 0(%rsp), %rax
    movq 8(%rsp), %rcx
    movq 16(%rsp), %rdx
    movq 24(%rsp), %rbx
    movq 40(%rsp), %rbp
    movq 48(%rsp), %rsi
    movq 56(%rsp), %rdi
    movq 64(%rsp), %r8
    movq 72(%rsp), %r9
    movq 80(%rsp), %r10
    movq 88(%rsp), %r11
    movq 96(%rsp), %r12
    movq 104(%rsp), %r13
    movq 112(%rsp), %r14
    movq 120(%rsp), %r15
    vmresume
    call monitor_resume_failed
    ud2

/*
 * void monitor_become_native(struct guest_registers *, struct monitor_cpu *): out of VMX operation, with the kernel's state, to behind its
 * instruction. The kernel's page tables of the moment map the monitor, its stack and itself.
 */
    .globl monitor_become_native
monitor_become_native:
    vmxoff
    leaq CPU_NATIVE(%rsi), %rbx
    movq NATIVE_CR4(%rbx), %rax
    movq %rax, %cr4
    movq NATIVE_CR3(%rbx), %rax
    movq %rax, %cr3
    lgdt NATIVE_GDT + 6(%rbx)
    lidt NATIVE_IDT + 6(%rbx)
    movq NATIVE_GDT + 8(%rbx), %rax
    movq NATIVE_TR(%rbx), %rcx
    btrq $41, (%rax,%rcx)                    /* LTR wants a TSS that is not busy */
    ltr %cx
    movw NATIVE_DS(%rbx), %ds
    movw NATIVE_ES(%rbx), %es
    movw NATIVE_FS(%rbx), %fs
    movw NATIVE_GS(%rbx), %gs
    movq NATIVE_FS_BASE(%rbx), %rax
    wrfsbase %rax
    movq NATIVE_GS_BASE(%rbx), %rax
    wrgsbase %rax
    pushq 32(%rbx)
    pushq 24(%rbx)
    pushq 16(%rbx)
    pushq 8(%rbx)
    pushq 0(%rbx)
    movq 0(%rdi), %rax
    movq 8(%rdi), %rcx
    movq 16(%rdi), %rdx
    movq 24(%rdi), %rbx
    movq 40(%rdi), %rbp
    movq 48(%rdi), %rsi
    movq 64(%rdi), %r8
    movq 72(%rdi), %r9
    movq 80(%rdi), %r10
    movq 88(%rdi), %r11
    movq 96(%rdi), %r12
    movq 104(%rdi), %r13
    movq 112(%rdi), %r14
    movq 120(%rdi), %r15
    movq 56(%rdi), %rdi
    iretq

/* Faults in root operation: 32 stubs of 16 bytes. An NMI is remembered for the guest, anything else is a bug of the monitor. */
    .p2align 4
    .globl monitor_fault_stubs
monitor_fault_stubs:
    .set vector, 0
    .rept 32
    .p2align 4
    .if vector == 2
    jmp monitor_nmi
    .else
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    jmp monitor_fault_common
    .endif
    .set vector, vector + 1
    .endr
/* Sets "NMI-window exiting" itself: the look for it at the end of the exit (Exit.swift) may be over. */
monitor_nmi:
    movq $1, %gs:CPU_NMI_PENDING
    cmpq $0, %gs:CPU_NATIVE                  /* on the way out there is no VMCS any more */
    jne 1f
    pushq %rax
    pushq %rcx
    movl $0x4002, %eax                       /* primary processor-based controls */
    vmread %rax, %rcx
    btsq $22, %rcx
    vmwrite %rcx, %rax
    popq %rcx
    popq %rax
1:  iretq
monitor_fault_common:
    popq %rdi
    popq %rsi
    movq (%rsp), %rdx
    andq $-16, %rsp
    call monitor_fault
    ud2

    .bss
    .p2align 12
monitor_stacks: .skip LVD_MAX_CPUS * MONITOR_STACK_SIZE
    .globl monitor_cpus
monitor_cpus: .skip LVD_MAX_CPUS * CPU_SIZE
monitor_launch_lock: .skip 8
    .globl monitor_pool_lock
monitor_pool_lock: .skip 8
    .globl monitor_posted_descriptors
monitor_posted_descriptors: .skip 256 * 8

    .section .note.GNU-stack, "", @progbits
