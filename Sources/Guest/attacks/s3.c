/* S3: the driver says that it is the kernel, so that an interrupt would not be taken to the kernel's view. */
#include "attack.h"

static void attack(void) {
    volatile u64 *in_kernel = &vmfunc_state_page.in_kernel;
    *in_kernel = 1;
    _printk("attack: in_kernel reads %llu in the domain\n", *in_kernel);
    *in_kernel = 0;
}
