/* A8: turns interrupts on where the kernel has turned them off, and waits for one: it would find the kernel's locks held. */
#define ATTACK_DEVICE
#include "attack.h"

static void attack(void) {}
static void device_is_set_up(struct net_device *dev) { (void)dev; }
static void device_ends(void) {}

static void device_statistics(void) {
    asm volatile("sti");
    wait_for_interrupts();
    asm volatile("cli");
    _printk("attack: interrupts came and went\n");
}
