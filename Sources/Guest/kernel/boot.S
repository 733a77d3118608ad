/*
 * Multiboot 1 entry (Multiboot Specification 0.6.96, 3.2 "Machine state"): 32-bit protected mode, paging off, EBX = information.
 * Turns on long mode with boot page tables (the first GiB at 0 and at LVD_KERNEL_BASE) and continues in the high half.
 */
#include <lvd/layout.h>
#include "offsets.h"

#define PHYS(symbol) (symbol - LVD_KERNEL_BASE)
#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 3                    /* page-aligned modules, memory map */

    .section .boot, "ax", @progbits
    .code32
    .p2align 2
    .long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

    .globl boot_entry
boot_entry:
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    movl %ebx, %esi

    movl $0x80000000, %eax                   /* long mode and no-execute are needed */
    cpuid
    cmpl $0x80000001, %eax
    jb boot_refuse
    movl $0x80000001, %eax
    cpuid
    andl $(1 << 29 | 1 << 20), %edx
    cmpl $(1 << 29 | 1 << 20), %edx
    jne boot_refuse

    /* Level 4: entries 0, 273 and 511 share one level-3 page whose entries 0 and 510 map the first GiB. */
    movl $(PHYS(boot_pdpt) + 3), %eax
    movl %eax, PHYS(boot_pml4)
    movl %eax, PHYS(boot_pml4) + 273 * 8     /* the direct map's beginning */
    movl %eax, PHYS(boot_pml4) + 511 * 8
    movl $(PHYS(boot_pd) + 3), %eax
    movl %eax, PHYS(boot_pdpt)
    movl %eax, PHYS(boot_pdpt) + 510 * 8
    movl $PHYS(boot_pd), %edi
    movl $0x83, %eax                         /* present, writable, 2 MiB */
    movl $512, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    decl %ecx
    jnz 1b

    call boot_enable_long_mode
    lgdt boot_gdt_pointer
    ljmp $KERNEL_CS, $boot_64

/* Also run by the application processors, from ap.S. */
    .globl boot_enable_long_mode
boot_enable_long_mode:
    movl $(1 << 5), %eax                     /* CR4.PAE */
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx                   /* IA32_EFER: LME, NXE */
    rdmsr
    orl $(1 << 8 | 1 << 11), %eax
    wrmsr
    movl $0x80010033, %eax                   /* CR0: PG WP NE ET MP PE; caches on */
    movl %eax, %cr0
    ret

boot_refuse:
    movl $2, %eax                            /* LVD_STATUS_BAD_BOOT */
    outl %eax, $0xF4
1:  hlt
    jmp 1b

    .p2align 3
    .globl boot_gdt
boot_gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF   /* null, 64-bit code, data; accessed bits set */
boot_gdt_pointer:
    .word 23
    .long boot_gdt

    .code64
boot_64:
    movw $KERNEL_DS, %ax
    movw %ax, %ss
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    movl %esi, %edi
    movabsq $boot_high, %rax
    jmp *%rax

    .text
boot_high:
    leaq boot_stack_top(%rip), %rsp
    xorl %ebp, %ebp
    call kernel_main
1:  hlt
    jmp 1b

    .bss
    .p2align 12
    .globl boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 4096
    .globl boot_stack, boot_stack_top
boot_stack: .skip 0x4000
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
