/* Small services that Linux modules import: memory by Linux's names, text, identifiers, locks, waiting. */
#include "lib.h"
#include "linux.h"

enum { ZERO = 0x100 }; /* __GFP_ZERO */

/* -- memory ------------------------------------------------------------------------------------------------------ */

u8 kmalloc_caches[8 * 32 * 8]; /* modules read a pointer from here and hand it back */

static void *allocate(size_t size, gfp_t flags) { return flags & ZERO ? kzalloc(size) : kmalloc(size); }
void *__kmalloc(size_t size, gfp_t flags) { return allocate(size, flags); }
void *kmalloc_trace(void *cache, gfp_t flags, size_t size) {
    (void)cache;
    return allocate(size, flags);
}
void *kmalloc_node_trace(void *cache, gfp_t flags, int node, size_t size) {
    (void)cache, (void)node;
    return allocate(size, flags);
}
void *kvmalloc_node(size_t size, gfp_t flags, int node) {
    (void)node;
    return allocate(size, flags);
}
void kvfree(const void *block) { kfree(block); }
void *bitmap_zalloc(u32 bits, gfp_t flags) {
    (void)flags;
    return kzalloc((bits + 63) / 64 * 8);
}
void bitmap_free(const void *bitmap) { kfree(bitmap); }
unsigned long _find_first_zero_bit(const unsigned long *bits, unsigned long size) {
    for (unsigned long n = 0; n < size; n++)
        if (!(bits[n / 64] >> (n % 64) & 1))
            return n;
    return size;
}

/* -- text -------------------------------------------------------------------------------------------------------- */

int sprintf(char *to, const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int length = format_text(to, LVD_PAGE_SIZE, format, arguments);
    __builtin_va_end(arguments);
    return length;
}

char *strncpy(char *to, const char *from, size_t size) {
    size_t n = 0;
    for (; n < size && from[n]; n++)
        to[n] = from[n];
    memset(to + n, 0, size - n);
    return to;
}

char *strcpy(char *to, const char *from) {
    memcpy(to, from, strlen(from) + 1);
    return to;
}

size_t strnlen(const char *text, size_t most) {
    size_t n = 0;
    while (n < most && text[n])
        n++;
    return n;
}

/* What is there, not what there would have been. */
int scnprintf(char *to, size_t size, const char *format, ...) {
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int length = format_text(to, size, format, arguments);
    __builtin_va_end(arguments);
    return (size_t)length < size ? length : size ? (int)size - 1 : 0;
}

char *strchr(const char *text, int c) {
    for (; *text != (char)c; text++)
        if (!*text)
            return NULL;
    return (char *)text;
}

char *strim(char *text) {
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\n' || text[length - 1] == '\t'))
        text[--length] = 0;
    while (*text == ' ' || *text == '\n' || *text == '\t')
        text++;
    return text;
}

char *kstrndup(const char *text, size_t most, gfp_t flags) {
    size_t length = 0;
    while (length < most && text[length])
        length++;
    char *copy = allocate(length + 1, flags);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

char *kstrdup(const char *text, gfp_t flags) { return text ? kstrndup(text, strlen(text), flags) : NULL; }

/* Base 0: 0x means 16, 0 alone 8. The whole text must be the number, but for one newline. */
int kstrtoull(const char *text, u32 base, u64 *value) {
    u64 result = 0;
    if (*text == '+')
        text++;
    if (!base)
        base = text[0] != '0' ? 10 : text[1] == 'x' || text[1] == 'X' ? 16 : 8;
    if (base == 16 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    if (!*text)
        return -EINVAL;
    for (; *text && !(*text == '\n' && !text[1]); text++) {
        char c = *text | 0x20;
        u32 digit = *text >= '0' && *text <= '9' ? (u32)(*text - '0') : c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : 99;
        if (digit >= base)
            return -EINVAL;
        if (result > (~0ULL - digit) / base)
            return -ERANGE;
        result = result * base + digit;
    }
    *value = result;
    return 0;
}

int kstrtouint(const char *text, u32 base, u32 *value) {
    u64 wide;
    int error = kstrtoull(text, base, &wide);
    if (error || wide > ~0u)
        return error ? error : -ERANGE;
    *value = (u32)wide;
    return 0;
}

int kstrtoint(const char *text, u32 base, int *value) {
    bool negative = *text == '-';
    u64 wide;
    int error = kstrtoull(text + negative, base, &wide);
    if (error || wide > 0x7fffffffULL + negative)
        return error ? error : -ERANGE;
    *value = negative ? (int)-(s64)wide : (int)wide;
    return 0;
}

int kstrtobool(const char *text, bool *value) {
    switch (*text) {
    case 'y': case 'Y': case 't': case 'T': case '1': *value = true; return 0;
    case 'n': case 'N': case 'f': case 'F': case '0': *value = false; return 0;
    case 'o': case 'O':
        if ((text[1] | 0x20) == 'n' || (text[1] | 0x20) == 'f') {
            *value = (text[1] | 0x20) == 'n';
            return 0;
        }
    }
    return -EINVAL;
}

/* -- identifiers: struct ida is a lock, flags and a pointer, which here is a set of 64 bits ---------------------- */

int ida_alloc_range(void *ida, u32 least, u32 most, gfp_t flags) {
    u64 *taken = (u64 *)ida + 1;
    (void)flags;
    for (u32 n = least; n < 64 && n <= most; n++)
        if (!(*taken >> n & 1)) {
            *taken |= 1ULL << n;
            return (int)n;
        }
    return -ENOSPC;
}

void ida_free(void *ida, u32 id) {
    if (id < 64)
        ((u64 *)ida)[1] &= ~(1ULL << id);
}

/* -- locks and waiting ------------------------------------------------------------------------------------------- */

void _raw_spin_lock(void *lock) { spin_lock(lock); }
void _raw_spin_unlock(void *lock) { spin_unlock(lock); }
#ifdef LVD_DOMAIN /* the flag is not the domain's to change (A8), and none of its callbacks arrives in the middle (softirq.c) */
void _raw_spin_lock_irq(void *lock) { spin_lock(lock); }
void _raw_spin_unlock_irq(void *lock) { spin_unlock(lock); }
u64 _raw_spin_lock_irqsave(void *lock) {
    spin_lock(lock);
    return 0;
}
void _raw_spin_unlock_irqrestore(void *lock, u64 flags) {
    (void)flags;
    spin_unlock(lock);
}
#else
u64 _raw_spin_lock_irqsave(void *lock) { return spin_lock_irqsave(lock); }
void _raw_spin_unlock_irqrestore(void *lock, u64 flags) { spin_unlock_irqrestore(lock, flags); }
void _raw_spin_lock_irq(void *lock) {
    asm volatile("cli" : : : "memory");
    spin_lock(lock);
}
void _raw_spin_unlock_irq(void *lock) {
    spin_unlock(lock);
    asm volatile("sti" : : : "memory");
}
#endif

/* Only module initialisation and removal take mutexes, one at a time. */
void __mutex_init(void *mutex, const char *name, void *class) { (void)mutex, (void)name, (void)class; }
void mutex_lock(void *mutex) { (void)mutex; }
void mutex_unlock(void *mutex) { (void)mutex; }

/* Whoever waits looks again after io_schedule, so wait queues stay empty. */
void __init_waitqueue_head(void *queue, const char *name, void *class) { (void)queue, (void)name, (void)class; }
void prepare_to_wait(void *queue, void *entry, int state) { (void)queue, (void)entry, (void)state; }
void finish_wait(void *queue, void *entry) { (void)queue, (void)entry; }
int __wake_up(void *queue, u32 mode, int count, void *key) {
    (void)queue, (void)mode, (void)count, (void)key;
    return 0;
}
int autoremove_wake_function(void *entry, u32 mode, int sync, void *key) {
    (void)entry, (void)mode, (void)sync, (void)key;
    return 1;
}

/* -- configfs: nobody mounts it ---------------------------------------------------------------------------------- */

void config_group_init(void *group) { (void)group; }
int configfs_register_subsystem(void *subsystem) {
    (void)subsystem;
    return 0;
}
void configfs_unregister_subsystem(void *subsystem) { (void)subsystem; }

bool __list_add_valid(void *entry, void *before, void *after) {
    (void)entry, (void)before, (void)after;
    return true;
}
bool __list_del_entry_valid(void *entry) {
    (void)entry;
    return true;
}
unsigned int nr_online_nodes = 1;

/* No pages are ever put into a tree: alloc_pages is not supplied. */
void *radix_tree_lookup(void *tree, unsigned long index) {
    (void)tree, (void)index;
    return NULL;
}
u32 radix_tree_gang_lookup(void *tree, void **results, unsigned long first, u32 most) {
    (void)tree, (void)results, (void)first, (void)most;
    return 0;
}

/* -- imports that stand in data only, or behind something that is off (tracing, zones, memory behind a disk): using one is the end -- */

u64 page_offset_base, vmemmap_base;
#define X(name) __attribute__((noreturn)) void name(void) { missing_import(#name); }
MISSING_IMPORTS(X)
