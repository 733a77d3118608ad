/*
 * A hostile driver is nullnet with something extra: attack() runs once, inside the domain, while the eighth packet is being sent.
 * Included by each attack after it has defined attack().
 */
#ifndef ATTACK_H
#define ATTACK_H
#include <linux/module.h>
#include <linux/netdevice.h>
#include <lvd/layout.h>
#include <lvd/state_page.h>

/* What every domain has at these addresses; a driver may name it (kernel.elf, .lvd_shared_export). */
extern u8 vmfunc_springboard_return[], vmfunc_trampoline[], lvd_ist_stacks[LVD_MAX_CPUS][6][LVD_PAGE_SIZE];
extern struct lvd_state_page vmfunc_state_page;
extern u64 idt_table[512];

#ifndef NAMES_PACKETS
static void attack(void);
#endif
static struct net_device *own_device;
static void device_is_set_up(struct net_device *dev);
static void device_ends(void);
static void device_statistics(void);

/* The CR3 values that this driver was called with last: process roots. */
static u64 latest_root, root_before;
static inline u64 other_root(void) { return root_before; }

#ifdef NAMES_PACKETS /* instead of attack(): what becomes of each packet */
static void give_back(struct sk_buff *skb);
#define consume_skb(skb) give_back(skb)
#else
static void attack_once(void) {
    static int packets;
    u64 root;
    asm volatile("movq %%cr3, %0" : "=r"(root));
    if (root != latest_root) {
        root_before = latest_root;
        latest_root = root;
    }
    if (++packets == 8)
        attack();
}

#define consume_skb(skb) (attack_once(), (consume_skb)(skb))
#endif
#define dev_addr_mod(dev, ...) ((dev_addr_mod)(dev, __VA_ARGS__), own_device = (dev), device_is_set_up(dev))
#define free_percpu(area) (device_ends(), (free_percpu)(area))
#define dev_lstats_read(dev, packets, bytes) ((dev_lstats_read)(dev, packets, bytes), device_statistics())
#include "../drivers/nullnet/nullnet.c"

#ifndef ATTACK_DEVICE
static void device_is_set_up(struct net_device *dev) { (void)dev; }
static void device_ends(void) {}
static void device_statistics(void) {}
#endif

/* The kernel counts devices from 2; each later one has a higher number. */
static inline int own_device_number(void) { return own_device->ifindex; }

/* The runtime of the domain is the driver's to change: here, by what it names a packet (domain/glue.c). */
static inline u64 *reference_of(struct sk_buff *skb) { return (u64 *)skb - 1; }

/* Long enough for several timer interrupts. */
static inline void wait_for_interrupts(void) {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    for (u64 start = low | (u64)high << 32, now = start; now - start < 400000; now = low | (u64)high << 32)
        asm volatile("pause\n\trdtsc" : "=a"(low), "=d"(high));
}

/* The window that this code lies in. */
static inline u64 window_of(const void *address) { return (u64)address & ~(LVD_DOMAIN_STRIDE - 1ULL); }
#endif
