/* Memory and string functions for the kernel and for domains; the compiler calls some of them by itself. */
#include "lib.h"

void *memcpy(void *to, const void *from, size_t n) {
    void *result = to;
    size_t words = n / 8;
    n %= 8;
    asm volatile("rep movsq\n\tmovq %3, %%rcx\n\trep movsb"
                 : "+D"(to), "+S"(from), "+c"(words) : "r"(n) : "memory");
    return result;
}

void *memset(void *to, int value, size_t n) {
    void *result = to;
    size_t words = n / 8;
    n %= 8;
    asm volatile("rep stosq\n\tmovq %2, %%rcx\n\trep stosb"
                 : "+D"(to), "+c"(words) : "r"(n), "a"(0x0101010101010101ULL * (u8)value) : "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t n) {
    char *t = to;
    const char *f = from;
    if (t <= f || t >= f + n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

int memcmp(const void *a, const void *b, size_t n) {
    const u8 *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (u8)*a - (u8)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (u8)*a - (u8)*b;
    return 0;
}

/* Linux's semantics: always terminated; -E2BIG when the source did not fit. */
ssize_t strscpy(char *to, const char *from, size_t size) {
    size_t i;
    if (!size)
        return -7;
    for (i = 0; i < size - 1 && from[i]; i++)
        to[i] = from[i];
    to[i] = 0;
    return from[i] ? -7 : (ssize_t)i;
}

unsigned long _find_next_bit(const unsigned long *bits, unsigned long size, unsigned long start) {
    for (; start < size; start++)
        if (bits[start / 64] >> (start % 64) & 1)
            return start;
    return size;
}
