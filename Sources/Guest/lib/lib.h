/* What the kernel and the in-domain runtime have in common. */
#ifndef LVD_LIB_H
#define LVD_LIB_H
#include <linux/types.h>
#include <linux/errno.h>
#include <lvd/layout.h>

#define ALIGN_UP(value, to) (((value) + (to) - 1) & ~((__typeof__(value))(to) - 1))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
ssize_t strscpy(char *to, const char *from, size_t size);
unsigned long _find_next_bit(const unsigned long *bits, unsigned long size, unsigned long start);

/* %c %s %d %i %u %x %lx %llx %p %%, with width and leading zero. Returns the length it would have liked. */
int format_text(char *to, size_t size, const char *format, __builtin_va_list arguments);
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Spinlocks: one word, 0 free. */
typedef struct { volatile u32 held; } spinlock_t;
static inline void spin_lock(spinlock_t *lock) {
    while (__sync_lock_test_and_set(&lock->held, 1))
        while (lock->held)
            __builtin_ia32_pause();
}
static inline void spin_unlock(spinlock_t *lock) { __sync_lock_release(&lock->held); }

/*
 * With interrupts off, for what interrupt handlers touch too. A domain leaves the interrupt flag alone: it has to come back
 * as it went in (A8), and no interrupt handler runs on a domain's stack.
 */
#ifdef LVD_DOMAIN
static inline u64 spin_lock_irqsave(spinlock_t *lock) {
    spin_lock(lock);
    return 0;
}
static inline void spin_unlock_irqrestore(spinlock_t *lock, u64 flags) {
    (void)flags;
    spin_unlock(lock);
}
#else
static inline u64 spin_lock_irqsave(spinlock_t *lock) {
    u64 flags;
    asm volatile("pushfq\n\tpopq %0\n\tcli" : "=r"(flags) : : "memory");
    spin_lock(lock);
    return flags;
}
static inline void spin_unlock_irqrestore(spinlock_t *lock, u64 flags) {
    spin_unlock(lock);
    if (flags & 0x200)
        asm volatile("sti" : : : "memory");
}
#endif

/* Allocation: sizes up to half a page from size classes, anything larger by pages. */
struct heap {
    spinlock_t lock;
    u8 *base;       /* first page */
    u8 *page_class; /* per page: 0 free or foreign, 1.. size class + 1, 0xff first page of a large block */
    u32 *page_run;  /* per page: length in pages of the large block that begins here */
    void *free_lists[8];
    void *(*get_pages)(size_t count);
    void (*put_pages)(void *pages, size_t count);
};
void *heap_alloc(struct heap *heap, size_t size);
void heap_free(struct heap *heap, void *block);

/* Bytes that look random and are the same in every run with the same seed (xorshift64*). */
struct random_state { u64 x; };
u64 random_next(struct random_state *state);

/* The allocator of whoever links this library. */
void *kmalloc(size_t size);
void *kzalloc(size_t size);
void kfree(const void *block);
#endif
