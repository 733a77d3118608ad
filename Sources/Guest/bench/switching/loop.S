/* The two sides of a VMCALL. */
    .text
    .globl call_loop
call_loop:
1:  vmcall
    jmp 1b

/* void resume_loop(u64 count): resumes the guest so many times, behind its VMCALL each time. */
    .globl resume_loop
resume_loop:
    pushq %rbx
    pushq %rbp
    pushq %r12
    movq %rdi, %rbx
    leaq exit_point(%rip), %rax
    movl $0x6C16, %ecx                       /* host RIP */
    vmwrite %rax, %rcx
    movl $0x6C14, %ecx                       /* host RSP */
    vmwrite %rsp, %rcx
    movl $0x681E, %r12d                      /* guest RIP */
    vmresume
    ud2
exit_point:
    vmread %r12, %rax
    addq $3, %rax
    vmwrite %rax, %r12
    decq %rbx
    jz 1f
    vmresume
    ud2
1:  popq %r12
    popq %rbp
    popq %rbx
    ret

    .section .note.GNU-stack, "", @progbits
