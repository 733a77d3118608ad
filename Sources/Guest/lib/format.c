/* The few conversions that kernel and driver messages use. */
#include "lib.h"

struct sink { char *to; size_t size, length; };

static void put(struct sink *sink, char c) {
    if (sink->length + 1 < sink->size)
        sink->to[sink->length] = c;
    sink->length++;
}

static void put_number(struct sink *sink, u64 value, u32 base, bool negative, int width, char fill) {
    char digits[24];
    int n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative && fill == '0')
        put(sink, '-');
    for (int i = n + negative; i < width; i++)
        put(sink, fill);
    if (negative && fill != '0')
        put(sink, '-');
    while (n)
        put(sink, digits[--n]);
}

int format_text(char *to, size_t size, const char *format, __builtin_va_list arguments) {
    struct sink sink = { to, size, 0 };
    for (; *format; format++) {
        if (*format != '%') {
            put(&sink, *format);
            continue;
        }
        int width = 0, longs = 0;
        char fill = ' ';
        format++;
        if (*format == '0')
            fill = '0';
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + (*format - '0');
        for (; *format == 'l' || *format == 'z'; format++)
            longs++;
        switch (*format) {
        case 'c':
            put(&sink, (char)__builtin_va_arg(arguments, int));
            break;
        case 's': {
            const char *s = __builtin_va_arg(arguments, const char *);
            if (!s)
                s = "(null)";
            for (int n = (int)strlen(s); n < width; n++)
                put(&sink, ' ');
            while (*s)
                put(&sink, *s++);
            break;
        }
        case 'd':
        case 'i': {
            s64 v = longs ? __builtin_va_arg(arguments, s64) : __builtin_va_arg(arguments, int);
            put_number(&sink, v < 0 ? 0 - (u64)v : (u64)v, 10, v < 0, width, fill);
            break;
        }
        case 'u':
        case 'x': {
            u64 v = longs ? __builtin_va_arg(arguments, u64) : __builtin_va_arg(arguments, u32);
            put_number(&sink, v, *format == 'x' ? 16 : 10, false, width, fill);
            break;
        }
        case 'p':
            put_number(&sink, __builtin_va_arg(arguments, u64), 16, false, 16, '0');
            break;
        case '%':
            put(&sink, '%');
            break;
        default: /* shown as written: a message must never stop the system */
            put(&sink, '%');
            put(&sink, *format);
            if (!*format)
                format--;
        }
    }
    if (size)
        to[sink.length < size ? sink.length : size - 1] = 0;
    return (int)sink.length;
}

int snprintf(char *to, size_t size, const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int n = format_text(to, size, format, arguments);
    __builtin_va_end(arguments);
    return n;
}

u64 random_next(struct random_state *state) {
    u64 x = state->x ? state->x : 0x9e3779b97f4a7c15ULL;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    state->x = x;
    return x * 0x2545f4914f6cdd1dULL;
}
