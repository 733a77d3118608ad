/*
 * Start of an application processor (SDM 3A 9.4.4 "MP Initialization Example"): the start-up IPI's vector names the page at
 * LVD_AP_TRAMPOLINE_PHYS, to which the kernel copies ap_trampoline. One processor starts at a time.
 */
#include <lvd/layout.h>
#include "offsets.h"

#define PHYS(symbol) (symbol - LVD_KERNEL_BASE)
#define HERE(symbol) (LVD_AP_TRAMPOLINE_PHYS + symbol - ap_trampoline)

    .section .rodata
    .code16
    .globl ap_trampoline, ap_trampoline_end
ap_trampoline:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl HERE(ap_gdt_pointer)
    movl %cr0, %eax
    orl $1, %eax
    movl %eax, %cr0
    ljmpl $0x18, $HERE(ap_32)
    .code32
ap_32:
    movw $KERNEL_DS, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $PHYS(boot_stack_top) - 0x2000, %esp   /* the boot stack's lower half; the boot processor uses the upper one */
    movl $boot_enable_long_mode, %eax
    call *%eax
    ljmp $KERNEL_CS, $HERE(ap_64)
    .code64
ap_64:
    movabsq $ap_high, %rax
    jmp *%rax
    .p2align 3
ap_gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CF9B000000FFFF   /* null, 64-bit code, data, 32-bit code */
ap_gdt_pointer:
    .word 31
    .long HERE(ap_gdt)
ap_trampoline_end:

    .text
ap_high:
    movq ap_stack(%rip), %rsp
    xorl %ebp, %ebp
    movl ap_cpu(%rip), %edi
    call ap_main
1:  hlt
    jmp 1b

    .section .note.GNU-stack, "", @progbits
