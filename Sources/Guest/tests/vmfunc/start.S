/*
 * vmfunc.flat: entry by multiboot 1 (or any loader that ends in 32-bit protected mode with EBX irrelevant), exception stubs, and
 * the assembly around VM entry. 0 to 4 GiB are mapped to themselves in 2 MiB pages, for supervisor and user alike.
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
    movl %ebx, boot_information
    movl $(level3 + 7), level4
    movl $level2, %edi
    movl $level3, %edx
    movl $4, %ebp
    movl $0xe7, %eax                         /* present, writable, user, accessed, dirty, 2 MiB */
1:  leal 7(%edi), %ebx
    movl %ebx, (%edx)
    addl $8, %edx
    movl $512, %ecx
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    decl %ecx
    jnz 2b
    decl %ebp
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
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    leaq gdt_tss(%rip), %rdi                 /* TSS descriptor: base */
    leaq tss(%rip), %rax
    movw %ax, 2(%rdi)
    shrq $16, %rax
    movb %al, 4(%rdi)
    movb %ah, 7(%rdi)
    leaq exception_stack_top(%rip), %rax
    movq %rax, tss + 4(%rip)                 /* RSP0 */
    movq %rax, tss + 36(%rip)                /* IST 1 */
    movl $0x28, %eax
    ltr %ax
    call main64
1:  hlt
    jmp 1b

/* Exceptions: to exception_handler(vector, error, RIP, frame), which may change the RIP of the frame. */
    .globl exception_stubs
    .p2align 4
exception_stubs:
    .set vector, 0
    .rept 64
    .p2align 4
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
    pushq $0
    .endif
    pushq $vector
    jmp exception_common
    .set vector, vector + 1
    .endr

exception_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    movq 72(%rsp), %rdi
    movq 80(%rsp), %rsi
    leaq 88(%rsp), %rdx                      /* RIP, CS, RFLAGS, RSP, SS */
    cld
    call exception_handler
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp
    iretq

/*
 * u64 vm_enter(bool launched): enters the guest with the registers in guest_registers; returns 0 at a VM exit, and 1 with the
 * flags in vm_flags when the entry itself failed.
 */
    .globl vm_enter, vm_exit
vm_enter:
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movl $0x6C14, %eax                       /* host RSP */
    vmwrite %rsp, %rax
    testl %edi, %edi
    movq guest_registers + 8(%rip), %rcx
    movq guest_registers + 16(%rip), %rdx
    movq guest_registers + 24(%rip), %rbx
    movq guest_registers + 40(%rip), %rbp
    movq guest_registers + 48(%rip), %rsi
    movq guest_registers + 56(%rip), %rdi
    movq guest_registers + 64(%rip), %r8
    movq guest_registers + 72(%rip), %r9
    movq guest_registers + 80(%rip), %r10
    movq guest_registers + 88(%rip), %r11
    movq guest_registers + 96(%rip), %r12
    movq guest_registers + 104(%rip), %r13
    movq guest_registers + 112(%rip), %r14
    movq guest_registers + 120(%rip), %r15
    movq guest_registers + 0(%rip), %rax
    jnz 1f
    vmlaunch
    jmp 2f
1:  vmresume
2:  pushfq
    popq vm_flags(%rip)
    movl $1, %eax
    jmp 3f
vm_exit:
    movq %rax, guest_registers + 0(%rip)
    movq %rcx, guest_registers + 8(%rip)
    movq %rdx, guest_registers + 16(%rip)
    movq %rbx, guest_registers + 24(%rip)
    movq %rbp, guest_registers + 40(%rip)
    movq %rsi, guest_registers + 48(%rip)
    movq %rdi, guest_registers + 56(%rip)
    movq %r8, guest_registers + 64(%rip)
    movq %r9, guest_registers + 72(%rip)
    movq %r10, guest_registers + 80(%rip)
    movq %r11, guest_registers + 88(%rip)
    movq %r12, guest_registers + 96(%rip)
    movq %r13, guest_registers + 104(%rip)
    movq %r14, guest_registers + 112(%rip)
    movq %r15, guest_registers + 120(%rip)
    xorl %eax, %eax
3:  popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    ret

/* Where guest functions return to. */
    .globl guest_done
guest_done:
    vmcall
    ud2

/* void in_user_mode(void (*function)(void)): runs it at CPL 3; it must leave by VM exit. */
    .globl in_user_mode
in_user_mode:
    leaq user_stack_top(%rip), %rax
    leaq guest_done(%rip), %rcx
    movq %rcx, -8(%rax)
    subq $8, %rax
    pushq $0x23                              /* SS */
    pushq %rax
    pushq $2
    pushq $0x1b                              /* CS */
    pushq %rdi
    iretq

    .data
    .p2align 4
    .globl gdt, gdt_pointer, tss
gdt:
    .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00AFFB000000FFFF, 0x00CFF3000000FFFF
gdt_tss:
    .quad 0x0000890000000067, 0
gdt_pointer:
    .word 55
    .quad gdt
    .p2align 4
tss: .skip 104
    .globl guest_registers, vm_flags
    .p2align 3
guest_registers: .skip 128
vm_flags: .quad 0
    .globl boot_information
boot_information: .long 0

    .bss
    .p2align 12
    .globl level4
level4: .skip 4096
level3: .skip 4096
level2: .skip 4 * 4096
    .skip 0x4000
stack_top:
    .skip 0x2000
    .globl exception_stack_top
exception_stack_top:
    .skip 0x2000
user_stack_top:
    .skip 0x2000
    .globl guest_stack_top
guest_stack_top:
    .section .note.GNU-stack, "", @progbits
