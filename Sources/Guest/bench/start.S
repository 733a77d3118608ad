/*
 * Multiboot 1 entry of the payload (Multiboot Specification 0.6.96, 3.2 "Machine state"): long mode with the first GiB mapped
 * to itself in 2 MiB pages, then payload_main; its answer goes to the debug-exit port.
 */
#define MULTIBOOT_MAGIC 0x1BADB002

    .section .multiboot, "ax", @progbits
    .p2align 2
    .long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

    .text
    .code32
    .globl start
start:
    cli
    cld
    movl $stack_top, %esp
    movl %ebx, %esi
    movl $(level3 + 3), level4
    movl $(level2 + 3), level3
    movl $level2, %edi
    movl $0x83, %eax                         /* present, writable, 2 MiB */
    movl $512, %ecx
1:  movl %eax, (%edi)
    movl $0, 4(%edi)
    addl $0x200000, %eax
    addl $8, %edi
    decl %ecx
    jnz 1b
    movl $(1 << 5), %eax                     /* CR4.PAE */
    movl %eax, %cr4
    movl $level4, %eax
    movl %eax, %cr3
    movl $0xC0000080, %ecx                   /* IA32_EFER.LME */
    rdmsr
    orl $(1 << 8), %eax
    wrmsr
    movl $0x80010033, %eax                   /* CR0: PG WP NE ET MP PE */
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $long_mode

    .code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %esi, %edi
    call payload_main
    outl %eax, $0xF4
1:  hlt
    jmp 1b

    .section .rodata, "a", @progbits
    .p2align 3
gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer:
    .word 23
    .long gdt

    .bss
    .p2align 12
level4: .skip 4096
level3: .skip 4096
level2: .skip 4096
    .skip 0x8000
stack_top:

    .section .note.GNU-stack, "", @progbits
