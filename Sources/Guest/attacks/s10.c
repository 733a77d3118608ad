/* S10: the driver goes on reading memory by translations that it has made the processor remember, when the memory is not its own any more. */
#include "attack.h"
#include <lvd/capabilities.h>

static void attack(void) {
    s64 memory = lvd_cap_memory(1);
    volatile u64 *at = lvd_cap_map((u64)memory);
    *at = 0x5ec4e7;
    lvd_cap_delete((u64)memory);
    _printk("attack: what is there now: %llx\n", *at);
}
