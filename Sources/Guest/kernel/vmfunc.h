/*
 * The VMFUNC macro: every VMFUNC of the kernel is written with it and so listed in .lvd_vmfunc_sites, and is followed by the check
 * that ECX names the view this site is meant for (rule A1). Clobbers RAX and RCX; flags.
 */
#ifndef KERNEL_VMFUNC_H
#define KERNEL_VMFUNC_H
#include <lvd/hypercalls.h>
#include <lvd/state_page.h>

#define VIEW_KERNEL 0
#define VIEW_DOMAIN 1

#define STATE(field) (vmfunc_state_page + STATE_##field)(%rip)

    .macro VMFUNC_TO view, abort
    xorl %eax, %eax
    movl $\view, %ecx
700:
    vmfunc
#ifndef WEAK_A1
    cmpl $\view, %ecx
    jne \abort
#endif
    .pushsection .lvd_vmfunc_sites, "a", @progbits
    .quad 700b
    .long \view, 0
    .popsection
    .endm

/* A failed check: tell the monitor, which terminates the domain and does not come back. */
    .macro VMFUNC_ABORT
    movl $LVD_LEAF_ABORT, %eax
    cpuid
    ud2
    .endm

#endif
