/* Text to the first serial port (16550, polled), and the two ways a run ends. */
#include "kernel.h"
#include "monitor.h"

enum { PORT = 0x3f8, LINE_STATUS = PORT + 5, TRANSMITTER_EMPTY = 0x20, EXIT_PORT = 0xf4 };

struct lvd_results lvd_results = {
    .magic = LVD_RESULTS_MAGIC, .version = LVD_RESULTS_VERSION, .status = LVD_STATUS_RUNNING,
};

struct lvd_counters lvd_counters;
static spinlock_t console_lock;

void console_init(void) {
    outb(PORT + 1, 0);    /* no interrupts */
    outb(PORT + 3, 0x80); /* divisor latch: 115200 baud */
    outb(PORT + 0, 1);
    outb(PORT + 1, 0);
    outb(PORT + 3, 3);    /* 8 bits, no parity, one stop bit */
    outb(PORT + 2, 7);    /* FIFOs on and empty */
    outb(PORT + 4, 3);
}

static void put_byte(u8 byte) {
    while (!(inb(LINE_STATUS) & TRANSMITTER_EMPTY))
        __builtin_ia32_pause();
    outb(PORT, byte);
}

void console_write(const char *text, size_t length) {
    u64 flags = spin_lock_irqsave(&console_lock);
    while (monitor_running && length) { /* an exit for all of it, not for each byte */
        size_t part = length < LVD_PAGE_SIZE ? length : LVD_PAGE_SIZE;
        monitor_write(physical(text), part);
        text += part;
        length -= part;
    }
    for (; length; length--, text++) {
        if (*text == '\n')
            put_byte('\r');
        put_byte((u8)*text);
    }
    spin_unlock_irqrestore(&console_lock, flags);
}

static void print_list(const char *format, __builtin_va_list arguments) {
    char line[256];
    int length = format_text(line, sizeof line, format, arguments);
    console_write(line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

void print(const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    print_list(format, arguments);
    __builtin_va_end(arguments);
}

static void __attribute__((noreturn)) end(u32 status, const char *format, __builtin_va_list arguments) {
    interrupts_off();
    format_text(lvd_results.message, sizeof lvd_results.message, format, arguments);
    lvd_results.status = status;
    print("%s: %s\n", status == LVD_STATUS_OK ? "done" : status == LVD_STATUS_PANIC ? "panic" : "failed", lvd_results.message);
    outl(EXIT_PORT, status);
    for (const char *at = "Shutdown"; *at; at++) /* Bochs has no such port, but this one */
        outb(0x8900, (u8)*at);
    for (;;)
        asm volatile("hlt");
}

void panic(const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    end(LVD_STATUS_PANIC, format, arguments);
}

void finish(u32 status, const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    end(status, format, arguments);
}
