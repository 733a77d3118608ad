#include "machine.h"

u64 idt[512] __attribute__((aligned(16)));
volatile u64 exception_vector, exception_error, exception_rip, exception_resume, exception_view;

static void put(char c) {
    while (!(inb(0x3fd) & 0x20))
        ;
    outb(0x3f8, (u8)c);
}

void print(const char *text) {
    for (; *text; text++) {
        if (*text == '\n')
            put('\r');
        put(*text);
    }
}

void print_number(u64 value) {
    char digits[20];
    int n = 0;
    do
        digits[n++] = (char)('0' + value % 10);
    while (value /= 10);
    while (n)
        put(digits[--n]);
}

void exception_handler(u64 vector, u64 error, u64 *frame) {
    exception_vector = vector + 1;
    exception_error = error;
    exception_rip = frame[0];
    exception_view = *(volatile u64 *)WINDOW; /* which view the handler runs in */
    if (vector >= 32)
        *(volatile u32 *)0xfee000b0 = 0; /* end of interrupt */
    if (exception_resume) {
        frame[0] = exception_resume;
        frame[2] &= ~0x100ULL; /* TF */
        exception_resume = 0;
        return;
    }
    print("FAIL: unexpected exception ");
    print_number(vector);
    print("\n");
    outl(0xf4, 127);
    for (;;)
        asm volatile("cli\n\thlt");
}

/* SDM 3A 6.14.1 "64-Bit Mode IDT": interrupt gates on IST 1. */
static void idt_init(void) {
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = { sizeof idt - 1, (u64)idt };
    for (u32 vector = 0; vector < 64; vector++) {
        u64 target = (u64)exception_stubs[vector];
        idt[2 * vector] = (target & 0xffff) | 8ULL << 16 | 1ULL << 32 | 0x8eULL << 40 | (target >> 16 & 0xffff) << 48;
        idt[2 * vector + 1] = target >> 32;
    }
    asm volatile("lidt %0" : : "m"(pointer));
}

void *memset(void *to, int value, u64 length) {
    u8 *at = to;
    while (length--)
        *at++ = (u8)value;
    return to;
}

/* 8 data bits and no interrupts from the 16550, none from the 8259s, exceptions to handlers. */
void machine_init(void) {
    outb(0x3f9, 0);
    outb(0x3fb, 3);
    outb(0x3fa, 0);
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
    idt_init();
}

void finish(u32 status) {
    outl(0xf4, status);
    for (const char *at = "Shutdown"; *at; at++)
        outb(0x8900, (u8)*at);
    for (;;)
        asm volatile("cli\n\thlt");
}
