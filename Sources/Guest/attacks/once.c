/* A driver that breaks a rule once, in the middle of its eighth packet, and behaves when it is loaded again. */
#define ATTACK_DEVICE
#include "attack.h"

static void device_is_set_up(struct net_device *dev) { (void)dev; }
static void device_ends(void) {}
static void device_statistics(void) {}

static void attack(void) {
    if (own_device_number() <= 2 + 1)
        asm volatile("ud2");
}
