/* The local APIC in xAPIC mode (SDM 3A 10 "Advanced Programmable Interrupt Controller"), through the direct map. */
#include "kernel.h"

enum {
    ID = 0x20, END_OF_INTERRUPT = 0xb0, SPURIOUS = 0xf0, IN_SERVICE = 0x100, COMMAND_LOW = 0x300, COMMAND_HIGH = 0x310,
    LVT_TIMER = 0x320, LVT_LINT0 = 0x350, LVT_LINT1 = 0x360, TIMER_INITIAL = 0x380, TIMER_CURRENT = 0x390, TIMER_DIVIDE = 0x3e0,
    MASKED = 1 << 16, PERIODIC = 1 << 17, DELIVER_NMI = 4 << 8, DELIVERY_PENDING = 1 << 12,
};

static volatile u32 *apic_register(u32 offset) { return (volatile u32 *)((u8 *)direct(0xfee00000) + offset); }

void apic_init(void) {
    outb(0x21, 0xff); /* the two 8259 stay silent */
    outb(0xa1, 0xff);
    *apic_register(SPURIOUS) = 0x100 | VECTOR_SPURIOUS;
    *apic_register(LVT_LINT0) = MASKED;
    *apic_register(LVT_LINT1) = DELIVER_NMI;
    *apic_register(LVT_TIMER) = MASKED;
}

u32 apic_id(void) { return *apic_register(ID) >> 24; }

void apic_end_of_interrupt(void) { *apic_register(END_OF_INTERRUPT) = 0; }

/* Every handler here acknowledges first: what is still in service belongs to a delivery that never got so far. */
void apic_finish_interrupts(void) {
    for (u32 offset = IN_SERVICE; offset < IN_SERVICE + 0x80; offset += 0x10)
        while (*apic_register(offset))
            apic_end_of_interrupt();
}

static void command(u32 target, u32 low) {
    u64 flags = interrupts_save();
    *apic_register(COMMAND_HIGH) = target << 24;
    *apic_register(COMMAND_LOW) = low;
    while (*apic_register(COMMAND_LOW) & DELIVERY_PENDING)
        __builtin_ia32_pause();
    interrupts_restore(flags);
}

void apic_send(u32 target, u32 vector) { command(target, 1 << 14 | vector); }

static void wait(u64 cycles) {
    for (u64 start = read_tsc(); read_tsc() - start < cycles;)
        __builtin_ia32_pause();
}

/* INIT, then two start-up IPIs (SDM 3A 9.4.4.1 "Typical BSP Initialization Sequence"). */
void apic_start(u32 target, u32 page) {
    command(target, 0x4500);
    wait(200000);
    command(target, 0x4600 | page);
    wait(20000);
    command(target, 0x4600 | page);
}

static u64 cycles_per_count = 1;

/* How many TSC cycles the timer, bus clock undivided, takes for one count. */
void apic_calibrate_timer(void) {
    *apic_register(TIMER_DIVIDE) = 0xb;
    *apic_register(LVT_TIMER) = MASKED;
    *apic_register(TIMER_INITIAL) = ~0u;
    u64 start = read_tsc();
    wait(50000);
    u32 counts = ~0u - *apic_register(TIMER_CURRENT);
    u64 cycles = read_tsc() - start;
    *apic_register(TIMER_INITIAL) = 0;
    if (counts)
        cycles_per_count = (cycles + counts / 2) / counts;
}

/* An interrupt every so many cycles on this CPU; 0 stops it. */
void apic_timer(u32 vector, u64 cycles) {
    u64 counts = cycles / cycles_per_count;
    if (cycles && !counts)
        counts = 1;
    *apic_register(TIMER_DIVIDE) = 0xb;
    *apic_register(LVT_TIMER) = counts ? PERIODIC | vector : MASKED;
    *apic_register(TIMER_INITIAL) = counts > ~0u ? ~0u : (u32)counts;
}

/* One interrupt, so many cycles from now. */
void apic_timer_once(u32 vector, u64 cycles) {
    u64 counts = cycles / cycles_per_count + 1;
    *apic_register(TIMER_DIVIDE) = 0xb;
    *apic_register(LVT_TIMER) = vector;
    *apic_register(TIMER_INITIAL) = counts > ~0u ? ~0u : (u32)counts;
}
