/*
 * CPUID leaves that the monitor answers. The numbers are those of the published system, except 3A and up, which are ours.
 * The monitor serves them only at CPL 0 with the kernel's view active; from a domain they terminate it.
 */
#ifndef LVD_HYPERCALLS_H
#define LVD_HYPERCALLS_H

#define LVD_LEAF_ACK 0x4BF00000             /* EAX := 0x4BF00001 */
#define LVD_LEAF_ACK_ANSWER 0x4BF00001
#define LVD_LEAF_PROMOTE 0x4BF00021         /* leaves VMX: this CPU goes on natively behind the instruction. CR3 must map the monitor */
#define LVD_LEAF_INSTALL_EPTP_LIST 0x4BF00031 /* EBX:ECX low:high of the list's address; returns the kernel's EPTP so */
#define LVD_LEAF_ABORT 0x4BF00033           /* a crossing check failed: terminate the domain */
#define LVD_LEAF_MAP_PAGE 0x4BF00034        /* RBX guest-physical page of this CPU's kernel view := RCX */
#define LVD_LEAF_EXIT_COUNT 0x4BF00037      /* RAX := VM exits of this CPU so far */
#define LVD_LEAF_INVALIDATE 0x4BF0003A      /* INVEPT, single context, RBX = EPTP */
#define LVD_LEAF_LOCK 0x4BF0003B            /* no INSTALL_EPTP_LIST or MAP_PAGE on this CPU any more */
#define LVD_LEAF_CONSOLE 0x4BF0003C         /* RCX (at most 4096) bytes of text at guest-physical RBX to the serial port */

/* Nobody answers it: what a processor says to a leaf that it does not know. */
#define LVD_LEAF_NOBODY 0x4BEFFFFF

#endif
