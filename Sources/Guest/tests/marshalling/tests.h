/* The kernel's half of marshalling.flat. */
#ifndef MARSHALLING_TESTS_H
#define MARSHALLING_TESTS_H
#include "environment.h"

extern struct lvd_peer peers[2], *inside;
extern bool (*answer)(struct lvd_message *message);
extern u32 last_flags, user_copies, wrong;

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
void print(const char *text);
void print_number(u64 value);

/* A value that the other side sent is not what it was. */
#define EXPECT(condition) (wrong += !(condition))
void judge(const char *name, bool good);
void kernel_tests(void);
void hostile_tests(void);
#endif
