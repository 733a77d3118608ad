/* Extended state across crossings (rule I5), and the choice of when it is saved. */
#ifndef KERNEL_EXTENDED_H
#define KERNEL_EXTENDED_H
#include "kernel.h"

enum extended_mode {
    EXTENDED_LAZY,  /* around calls of a thread that uses it */
    EXTENDED_EAGER, /* around every call */
    EXTENDED_NONE,  /* never: CR0.TS, so that nobody can use it */
};
extern enum extended_mode extended_mode;

struct extended_area { u8 bytes[1024]; } __attribute__((aligned(64))); /* 832 are used */
extern const struct extended_area extended_initial;

void extended_init(void); /* on each CPU */
void extended_save(struct extended_area *area);
void extended_restore(const struct extended_area *area);
void extended_fill(u64 value);
bool extended_holds(u64 value);
#endif
