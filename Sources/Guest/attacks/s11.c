/* S11: the driver looks for what interrupts in the kernel left on the interrupt stacks, which its view has, too. */
#include "attack.h"

static void attack(void) {
    const u64 *at = (const u64 *)lvd_ist_stacks[vmfunc_state_page.cpuid];
    u64 found = 0;
    for (u32 n = 0; n < sizeof lvd_ist_stacks[0] / sizeof *at; n++)
        found += at[n] >= LVD_DIRECT_MAP && at[n] < LVD_DOMAIN_BASE;
    _printk("attack: %llu kernel addresses on the interrupt stacks\n", found);
}
