/*
 * I1: a VMFUNC of the driver's own. In a sound system the kernel has nothing at the driver's addresses, so the fetch behind it faults. In
 * the weakened kernel the driver's image is mapped there too, and the code goes on with all the kernel's rights: it writes to the
 * console port, which the monitor does for the kernel alone.
 */
#include "attack.h"

static void attack(void) {
    asm volatile("xorl %%eax, %%eax\n\t"
                 "xorl %%ecx, %%ecx\n\t"
                 "vmfunc\n\t"
                 "movl $0x3f8, %%edx\n\t"
                 "movb $0x21, %%al\n\t"
                 "outb %%al, %%dx\n\t"
                 "movb $0x0a, %%al\n\t"
                 "outb %%al, %%dx\n\t"
                 "xorl %%eax, %%eax\n\t"
                 "movl $1, %%ecx\n\t"
                 "vmfunc"
                 : : : "rax", "rcx", "rdx", "memory");
    _printk("attack: ran in the kernel's view\n");
}
