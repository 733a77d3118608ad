/* What a process (ring 3) asks of the kernel by INT LVD_USER_VECTOR, the number in EAX; and what it may try (process-attack=N). */
#ifndef LVD_USER_H
#define LVD_USER_H

#define LVD_USER_VECTOR 0x80
#define LVD_USER_SEND 1     /* a packet; comes back when it is this process's turn again */
#define LVD_USER_ANSWERED 2 /* the monitor has answered CPUID leaf EDI: it must not */
#define LVD_USER_REFUSED 3  /* it has answered none */

#define LVD_USER_ATTACK_VMCALL 1
#define LVD_USER_ATTACK_HYPERCALL 2
#define LVD_USER_ATTACK_VMFUNC 3          /* to the domain's view */
#define LVD_USER_ATTACK_VMFUNC_INDEX 4    /* to a list entry that is not valid */
#define LVD_USER_ATTACK_VMFUNC_FUNCTION 5 /* a VM function that does not exist */
#define LVD_USER_ATTACK_SGDT 6            /* SGDT into kernel memory */

#endif
