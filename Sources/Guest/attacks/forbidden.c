/* What no domain may do, one thing per build (-DATTACK=...). Each ends the domain, on a sound system and with the kernel unharmed. */
#define ATTACK_DEVICE
#include "attack.h"

enum { RDMSR, WRMSR, OUT, CR0, CR3, LIDT, DR7, XSETBV, HYPERCALL, VMCALL, UD, INT3, STRAY_READ, STRAY_WRITE, SPIN, CLI, TRAP,
       RECURSE, MESSAGE, HLT, APIC, FREE, UNREGISTER, UNINIT, NO_XMIT, STI, INT14, GS, FLAGS, EXTENDED, CR3_ROOT,
       INVD, STRAY_HEAP, GIVE_UP, SPIN_OPEN, SLOW };

#define DO(kind, text) case kind: asm volatile(text : : : "rax", "rbx", "rcx", "rdx", "memory"); break

void __stack_chk_fail(void);

static void attack(void) {
    switch (ATTACK) {
    DO(RDMSR, "movl $0x1b, %%ecx\n\trdmsr");
    DO(WRMSR, "movl $0xc0000102, %%ecx\n\txorl %%eax, %%eax\n\txorl %%edx, %%edx\n\twrmsr");
    DO(OUT, "movb $0x21, %%al\n\tmovl $0x3f8, %%edx\n\toutb %%al, %%dx");
    DO(CR0, "movq %%cr0, %%rax\n\tbtrq $16, %%rax\n\tmovq %%rax, %%cr0"); /* write protection off */
    DO(CR3, "movq %%cr3, %%rax\n\taddq $0x1000, %%rax\n\tmovq %%rax, %%cr3");
    DO(LIDT, "pushq $0\n\tpushq $0\n\tlidt (%%rsp)\n\taddq $16, %%rsp");
    DO(DR7, "movl $0x400, %%eax\n\tmovq %%rax, %%dr7");
    DO(XSETBV, "xorl %%ecx, %%ecx\n\tmovl $1, %%eax\n\txorl %%edx, %%edx\n\txsetbv");
    DO(HYPERCALL, "movl $0x4bf00034, %%eax\n\txorl %%ebx, %%ebx\n\txorl %%ecx, %%ecx\n\tcpuid"); /* map a page */
    DO(VMCALL, "vmcall");
    DO(UD, "ud2");
    DO(INT3, "int3");
    DO(STRAY_READ, "movq $0xffffffff80201000, %%rax\n\tmovq (%%rax), %%rax"); /* kernel text */
    DO(STRAY_WRITE, "movq $0xffff888000000000, %%rax\n\tmovq %%rax, (%%rax)"); /* direct map */
    DO(SPIN, "cli\n1:\tjmp 1b");
    DO(CLI, "cli");
    DO(SPIN_OPEN, "1:\tjmp 1b"); /* with interrupts on: they come and go, and nothing else does */
    DO(INVD, "invd");
    DO(TRAP, "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop");
    DO(HLT, "cli\n\thlt");
    DO(APIC, "movq $0xffff8880fee00300, %%rax\n\tmovl $0xc4500, (%%rax)"); /* INIT to all others */
    DO(INT14, "int $14"); /* a page fault that was none */
    DO(GS, "movl $0x1000, %%eax\n\twrgsbase %%rax\n\trdgsbase %%rax"); /* the callback that follows brings it along */
    DO(FLAGS, "pushfq\n\torq $0x44400, (%%rsp)\n\tpopfq"); /* DF, NT and AC as well */
    case EXTENDED: /* every register, and exceptions unmasked in both units */
        asm volatile("movq $-1, %%rax\n\tmovq %%rax, %%xmm0\n\tmovq %%rax, %%xmm7\n\tmovq %%rax, %%xmm15\n\t"
                     "pushq $0x1f\n\tldmxcsr (%%rsp)\n\tmovl $0x340, (%%rsp)\n\tfldcw (%%rsp)\n\tfld1\n\taddq $8, %%rsp"
                     : : : "rax", "memory");
        break;
    case MESSAGE:
        (consume_skb)((struct sk_buff *)(window_of(attack) + LVD_WINDOW_POOL + LVD_PAGE_SIZE)); /* no packet of mine */
        break;
    case RECURSE: { /* a device within a device within a device */
        static int depth;
        if (depth++ < 1000)
            (void)alloc_netdev_mqs(0, "deep%d", NET_NAME_ENUM, (void (*)(struct net_device *))attack, 1, 1);
        break;
    }
    case FREE: /* the device that the kernel is sending through */
        free_netdev(own_device);
        break;
    case UNREGISTER:
        unregister_netdevice_queue(own_device, NULL);
        break;
    case CR3_ROOT: /* of another process: a CR3-target value, so that no exit tells */
        asm volatile("movq %0, %%cr3" : : "r"(other_root()) : "memory");
        break;
    case STRAY_HEAP: /* its own address, with nothing behind it yet */
        asm volatile("movq (%0), %%rax" : : "r"(window_of(attack) + LVD_WINDOW_HEAP_END - LVD_PAGE_SIZE) : "rax");
        break;
    case GIVE_UP: /* what compiled code does when it finds its stack overrun */
        __stack_chk_fail();
        break;
    case SLOW: /* in one call, and altogether longer than the watchdog waits, but every now and then it calls the kernel */
        for (u32 n = 0; n < 6; n++) {
            u32 random;
            for (u32 i = 0; i < 10; i++)
                wait_for_interrupts();
            get_random_bytes(&random, sizeof random);
        }
        break;
    case UNINIT: /* at the end of the device, see below */
    case NO_XMIT:
    case STI: /* in device_statistics */
        return;
    default:
        break;
    }
    _printk("attack: still here\n");
}

/* A device that cannot transmit. */
static void device_is_set_up(struct net_device *dev) {
    static struct net_device_ops operations;
    if (ATTACK != NO_XMIT)
        return;
    operations = nullnet_ops;
    operations.ndo_start_xmit = NULL;
    dev->netdev_ops = &operations;
}

/* The domain dies while the kernel is taking its device apart. */
static void device_ends(void) {
    if (ATTACK == UNINIT)
        asm volatile("ud2");
}

/* The kernel asks with interrupts off. */
static void device_statistics(void) {
    if (ATTACK == STI)
        asm volatile("sti");
}
