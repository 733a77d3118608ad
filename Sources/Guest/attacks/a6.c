/* A6: an interprocessor interrupt: INIT to all other processors. Where a weak kernel maps the registers, beside the register page. */
#include "attack.h"

enum { INTERRUPT_COMMAND = 0x300, INIT_OTHERS = 0xc4500 };

static void attack(void) {
    volatile u32 *registers = (volatile u32 *)(window_of(attack) + LVD_WINDOW_REGISTERS + LVD_PAGE_SIZE);
    registers[INTERRUPT_COMMAND / 4] = INIT_OTHERS;
    _printk("attack: sent INIT\n");
}
