#include "environment.h"

/* Memory: blocks are not used again, only counted. */
static u8 arena[1 << 20] __attribute__((aligned(16)));
static u64 arena_used;
u32 allocated;

void *lvd_alloc(u64 bytes) {
    u64 size = (bytes + 15) & ~15ULL;
    if (size > sizeof arena - arena_used)
        return NULL;
    arena_used += size;
    allocated++;
    return &arena[arena_used - size];
}
void lvd_free(void *memory) {
    (void)memory;
    allocated--;
}

#ifdef DOMAIN /* the kernel has that of ../vmfunc/machine.c */
void *memset(void *to, int value, size_t n) {
    for (u8 *at = to; n--;)
        *at++ = (u8)value;
    return to;
}
#endif
void *memcpy(void *to, const void *from, size_t n) {
    const u8 *at = from;
    for (u8 *out = to; n--;)
        *out++ = *at++;
    return to;
}
