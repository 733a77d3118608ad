/*
 * What generated glue (`lvdsim idl generate`) stands on, the same on both sides: marshalling of a 64-byte message and its
 * overflow page with every bound checked, references instead of addresses, and memory for the time of a call. What differs from
 * one environment to the next is in the functions under "The environment".
 *
 * A side never trusts the other: whatever cannot come from an honest peer makes the call broken. From then on all reads are 0, the
 * callee's function is not called, the caller's stub fails.
 */
#ifndef LVD_GLUE_H
#define LVD_GLUE_H
#include <lvd/slots.h>

#ifndef __GFP_ZERO
#define __GFP_ZERO 0x100u
#endif

enum {
    LVD_MOST_DEPTH = 24,          /* objects inside objects, as far as a kernel stack allows */
    LVD_MOST_SEEN = 64,           /* objects of recursive projections in one call */
    LVD_MOST_BYTES = 64 * 1024,   /* of one shadow or copy */
    LVD_MOST_ERRNO = 4095,
    LVD_MOST_KEPT = 8,            /* pieces of memory that a caller keeps of one reply */
    LVD_GLUE_EFAULT = 14,
    LVD_TRAMPOLINES = 8,          /* per function that the kernel may call through pointers */
};
#define LVD_EACH_TRAMPOLINE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define LVD_LARGER(a, b) ((a) > (b) ? (a) : (b))
#define LVD_TYPE_BYTES 0u         /* the type of a reference to plain memory */

struct lvd_peer;                  /* the other side; the environment knows what it is */

struct lvd_call {
    struct lvd_message message;   /* a caller's own */
    struct slots slots;
    struct lvd_peer *peer;
    u32 rpc, depth, seen_count;
    struct lvd_scratch { struct lvd_scratch *next; u64 aligned; } *scratch;
    u32 kept_count;
    struct lvd_kept { void *memory, *place; } kept[LVD_MOST_KEPT]; /* until the reply turns out to be good */
    const void *seen[LVD_MOST_SEEN];
};

/* -- The environment ----------------------------------------------------------------------------------------------------- */

void *lvd_alloc(u64 bytes);                                  /* zeroed; NULL when there is no more */
void lvd_free(void *memory);
u64 *lvd_registers(struct lvd_peer *peer);                   /* the overflow page of this processor */
int lvd_cross(struct lvd_peer *peer, struct lvd_message *message); /* not 0: the peer is gone, or was never there */
void lvd_refused(struct lvd_peer *peer, u32 rpc);            /* the peer answered what no honest peer answers */

/*
 * Objects. A reference is a word that names an object between these two sides and no others; 0 names nothing.
 * lvd_reference: that of an object of this side, given one now when it has none; 0: it cannot be given one.
 * lvd_object: what the peer means, or NULL unless the peer holds that reference, and it is of that type and has that size.
 * lvd_shadow: this side's new object for a reference of the peer's making; `once`: the one there is, if there is one.
 * lvd_release: the reference ends, and no later lvd_object finds it. Whether there was one, and whether lvd_shadow made its memory.
 */
u64 lvd_reference(struct lvd_peer *peer, const void *object, u32 type);
void *lvd_object(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes);
void *lvd_shadow(struct lvd_peer *peer, u64 reference, u32 type, u64 bytes, u32 flags, bool once);
enum lvd_ending { LVD_NO_REFERENCE, LVD_ENDED, LVD_ENDED_SHADOW };
enum lvd_ending lvd_release(struct lvd_peer *peer, const void *object, u32 type);

/* Shared regions, memory of processes, device memory, locks: false or not 0 is a refusal. */
bool lvd_region(struct lvd_peer *peer, u32 region, u8 **base, u64 *bytes);
u64 lvd_copy_from_user(void *to, const void *user, u64 bytes);
u64 lvd_copy_to_user(void *user, const void *from, u64 bytes);
u64 lvd_window_grant(struct lvd_peer *peer, void *window, u64 *bytes);
void *lvd_window_map(struct lvd_peer *peer, u64 capability, u64 bytes);
bool lvd_lock(struct lvd_peer *peer, u32 lock, void *object);
bool lvd_unlock(struct lvd_peer *peer, u32 lock, void *object);

/* -- Calls --------------------------------------------------------------------------------------------------------------- */

static inline void lvd_begin(struct lvd_call *call, struct lvd_peer *peer, u32 rpc) {
    call->peer = peer;
    call->rpc = rpc;
    call->depth = call->seen_count = call->kept_count = 0;
    call->scratch = NULL;
    call->message.words[0] = rpc_word(LVD_CLASS_RPC, rpc);
    call->message.words[1] = 0;
    call->slots = slots_begin(&call->message, lvd_registers(peer));
}

static inline void lvd_refuse(struct lvd_call *call) { call->slots.broken = true; }
static inline void lvd_require(struct lvd_call *call, bool good) {
    if (!good)
        call->slots.broken = true;
}

/* Across and back: true with the reply ready to be taken. A request that this side could not pack is not sent. */
static inline bool lvd_exchange(struct lvd_call *call) {
    if (call->slots.broken || lvd_cross(call->peer, &call->message))
        return false;
    call->slots = slots_open(&call->message, lvd_registers(call->peer));
    call->depth = call->seen_count = 0;
    return true;
}

static inline void lvd_forget_scratch(struct lvd_call *call) {
    while (call->scratch) {
        struct lvd_scratch *next = call->scratch->next;
        lvd_free(call->scratch);
        call->scratch = next;
    }
}

/* Of a refused reply nothing is kept, and nobody is left with an address of it. */
static inline void lvd_forget_kept(struct lvd_call *call) {
    while (call->kept_count) {
        struct lvd_kept *kept = &call->kept[--call->kept_count];
        if (kept->place)
            __builtin_memset(kept->place, 0, sizeof(void *));
        lvd_free(kept->memory);
    }
}

/* Of a caller. True: all of the reply was good. */
static inline bool lvd_end(struct lvd_call *call, bool answered) {
    lvd_forget_scratch(call);
    if (call->slots.broken)
        lvd_forget_kept(call);
    if (answered && call->slots.broken)
        lvd_refused(call->peer, call->rpc);
    return answered && !call->slots.broken;
}

/* Of a callee: the request in, and later the place for the reply. */
static inline void lvd_receive(struct lvd_call *call, struct lvd_peer *peer, struct lvd_message *message) {
    call->peer = peer;
    call->rpc = (u32)message->words[0];
    call->depth = call->seen_count = call->kept_count = 0;
    call->scratch = NULL;
    call->slots = slots_open(message, lvd_registers(peer));
}
static inline void lvd_reply(struct lvd_call *call) {
    call->message.words[0] = rpc_word(LVD_CLASS_RPC, call->rpc);
    call->message.words[1] = 0;
    call->depth = call->seen_count = 0;
    /* The call may have slept: this may be another processor, with another page. */
    call->slots = slots_begin(&call->message, lvd_registers(call->peer));
}
static inline bool lvd_finish(struct lvd_call *call, struct lvd_message *message) {
    lvd_forget_scratch(call);
    if (call->slots.broken)
        return false;
    *message = call->message;
    return true;
}

/* -- Values -------------------------------------------------------------------------------------------------------------- */

static inline void lvd_put(struct lvd_call *call, u64 value) { pack(&call->slots, value); }
static inline u64 lvd_take(struct lvd_call *call) { return unpack(&call->slots); }

static inline void lvd_put_bytes(struct lvd_call *call, const void *from, u64 bytes) {
    const u8 *at = from;
    if (bytes > (u64)(LVD_MAX_SLOTS - call->slots.next) * 8) {
        lvd_refuse(call);
        return;
    }
    for (; bytes; ) {
        u64 word = 0, n = bytes < 8 ? bytes : 8;
        __builtin_memcpy(&word, at, n);
        pack(&call->slots, word);
        at += n;
        bytes -= n;
    }
}

static inline void lvd_take_bytes(struct lvd_call *call, void *to, u64 bytes) {
    u8 *at = to;
    if (call->slots.broken || bytes > (u64)(call->slots.count - call->slots.next) * 8) {
        lvd_refuse(call);
        return;
    }
    for (; bytes; ) {
        u64 word = unpack(&call->slots), n = bytes < 8 ? bytes : 8;
        __builtin_memcpy(at, &word, n);
        at += n;
        bytes -= n;
    }
}

/* How many elements of that size follow: no more than the rest of the message has. */
static inline u64 lvd_take_count(struct lvd_call *call, u64 bytes_each) {
    u64 count = lvd_take(call);
    if (count > (u64)(call->slots.count - call->slots.next) * 8 / bytes_each) {
        lvd_refuse(call);
        return 0;
    }
    return count;
}

static inline bool lvd_is_zero(const void *memory, u64 bytes) {
    for (const u8 *at = memory; bytes; bytes--)
        if (*at++)
            return false;
    return true;
}
/* Elements up to and with the one that is zero, or one more than a message can hold. */
static inline u64 lvd_length(const void *array, u64 bytes_each) {
    u64 count = 1;
    for (const u8 *at = array; !lvd_is_zero(at, bytes_each); at += bytes_each)
        if (++count * bytes_each > LVD_MAX_SLOTS * 8)
            break;
    return count;
}
/* What was taken must end as it is declared to, so that nobody reads past it. */
static inline void lvd_require_end(struct lvd_call *call, const void *array, u64 count, u64 bytes_each) {
    lvd_require(call, count && lvd_is_zero((const u8 *)array + (count - 1) * bytes_each, bytes_each));
    for (u64 n = 0; !call->slots.broken && n + 1 < count; n++)
        if (lvd_is_zero((const u8 *)array + n * bytes_each, bytes_each))
            lvd_refuse(call);
}

/* Memory until the end of the call; NULL and a broken call when there is none. */
static inline void *lvd_scratch(struct lvd_call *call, u64 bytes) {
    struct lvd_scratch *scratch = call->slots.broken || bytes > LVD_MOST_BYTES ? NULL : lvd_alloc(sizeof *scratch + bytes);
    if (!scratch) {
        lvd_refuse(call);
        return NULL;
    }
    scratch->next = call->scratch;
    call->scratch = scratch;
    return scratch + 1;
}
/* Memory that the caller keeps when all of the reply is good. */
static inline void *lvd_keep(struct lvd_call *call, u64 bytes) {
    bool good = !call->slots.broken && bytes <= LVD_MOST_BYTES && call->kept_count < LVD_MOST_KEPT;
    void *memory = good ? lvd_alloc(bytes ? bytes : 1) : NULL;
    if (memory)
        call->kept[call->kept_count++] = (struct lvd_kept){ memory, NULL };
    else
        lvd_refuse(call);
    return memory;
}
/* Where its address was put, if it is what lvd_keep gave last. */
static inline void lvd_kept_in(struct lvd_call *call, const void *memory, void *place) {
    if (call->kept_count && call->kept[call->kept_count - 1].memory == memory)
        call->kept[call->kept_count - 1].place = place;
}

static inline bool lvd_is_error(const void *pointer) { return (u64)pointer >= (u64)-LVD_MOST_ERRNO; }
static inline void *lvd_take_error(struct lvd_call *call, u64 error) {
    lvd_require(call, error <= LVD_MOST_ERRNO);
    return (void *)-error;
}

/* -- Objects ------------------------------------------------------------------------------------------------------------- */

/* An object that is not NULL. */
static inline void lvd_put_object(struct lvd_call *call, const void *object, u32 type) {
    u64 reference = lvd_reference(call->peer, object, type);
    lvd_require(call, reference != 0);
    lvd_put(call, reference);
}
/* A reference that is not 0. */
static inline void *lvd_take_object(struct lvd_call *call, u64 reference, u32 type, u64 bytes) {
    void *object = call->slots.broken ? NULL : lvd_object(call->peer, reference, type, bytes);
    if (!object)
        lvd_refuse(call);
    return object;
}
static inline void *lvd_take_shadow(struct lvd_call *call, u64 reference, u32 type, u64 bytes, u32 flags, bool once) {
    void *object = NULL;
    if (!call->slots.broken && bytes <= LVD_MOST_BYTES)
        object = lvd_shadow(call->peer, reference, type, bytes ? bytes : 1, flags, once);
    if (!object)
        lvd_refuse(call);
    return object;
}
/* A reference ends before the callee's function runs, so that nobody else can name the object meanwhile; its memory after. */
static inline enum lvd_ending lvd_drop(struct lvd_call *call, const void *object, u32 type) {
    enum lvd_ending ending = object ? lvd_release(call->peer, object, type) : LVD_ENDED;
    lvd_require(call, ending != LVD_NO_REFERENCE);
    return ending;
}

/* Objects that lead back to themselves cross once in a call; the depth is bounded because each level is a frame on the stack. */
static inline bool lvd_enter(struct lvd_call *call, const void *object) {
    for (u32 n = 0; n < call->seen_count; n++)
        if (call->seen[n] == object)
            return false;
    if (call->slots.broken || call->seen_count == LVD_MOST_SEEN || call->depth == LVD_MOST_DEPTH) {
        lvd_refuse(call);
        return false;
    }
    call->seen[call->seen_count++] = object;
    call->depth++;
    return true;
}
static inline void lvd_leave(struct lvd_call *call) { call->depth--; }

/* A place inside `base`: only the distance crosses. NULL is ~0. */
static inline void lvd_put_within(struct lvd_call *call, const void *place, const void *base, u64 size, u64 bytes) {
    u64 offset = (u64)place - (u64)base;
    if (!place) {
        lvd_put(call, ~0ULL);
        return;
    }
    lvd_require(call, offset < size && bytes <= size - offset);
    lvd_put(call, offset);
}
static inline void *lvd_take_within(struct lvd_call *call, void *base, u64 size, u64 bytes) {
    u64 offset = lvd_take(call);
    if (call->slots.broken || offset == ~0ULL)
        return NULL;
    if (!base || offset >= size || bytes > size - offset) {
        lvd_refuse(call);
        return NULL;
    }
    return (u8 *)base + offset;
}
static inline void lvd_put_shared(struct lvd_call *call, const void *place, u32 region, u64 bytes) {
    u8 *base = NULL;
    u64 size = 0;
    lvd_require(call, !place || lvd_region(call->peer, region, &base, &size));
    lvd_put_within(call, place, base, size, bytes);
}
static inline void *lvd_take_shared(struct lvd_call *call, u32 region, u64 bytes) {
    u8 *base = NULL;
    u64 size = 0;
    lvd_region(call->peer, region, &base, &size);
    return lvd_take_within(call, base, size, bytes);
}

/* Memory of a process, on the side of the kernel: a fault refuses the call. */
static inline void *lvd_from_user(struct lvd_call *call, const void *user, u64 bytes) {
    void *copy = lvd_scratch(call, bytes);
    if (copy)
        lvd_require(call, lvd_copy_from_user(copy, user, bytes) == 0);
    return copy;
}
static inline void lvd_to_user(struct lvd_call *call, void *user, const void *copy, u64 bytes) {
    if (!call->slots.broken)
        lvd_require(call, lvd_copy_to_user(user, copy, bytes) == 0);
}

/* A window of device memory: a capability and its length. */
static inline void lvd_put_window(struct lvd_call *call, void *window) {
    u64 bytes = 0, capability = window ? lvd_window_grant(call->peer, window, &bytes) : 0;
    lvd_require(call, !window || capability);
    lvd_put(call, capability);
    lvd_put(call, bytes);
}
static inline void *lvd_take_window(struct lvd_call *call) {
    u64 capability = lvd_take(call), bytes = lvd_take(call);
    void *window = capability && !call->slots.broken ? lvd_window_map(call->peer, capability, bytes) : NULL;
    lvd_require(call, !capability || window);
    return window;
}

/* -- Functions of a domain, as the kernel calls them ---------------------------------------------------------------------- */

/*
 * What a trampoline hides from its callers: whose function it is, and which. The kernel never calls the address; it hands it back
 * to the domain that gave it. No code is made: each function has a fixed number of trampolines.
 */
struct lvd_target { struct lvd_peer *peer; u64 address; };
struct lvd_targets { volatile u32 lock; struct lvd_target list[LVD_TRAMPOLINES]; };

static inline void *lvd_take_function(struct lvd_call *call, struct lvd_targets *targets, void *const *trampolines) {
    u64 address = lvd_take(call);
    u32 free = LVD_TRAMPOLINES, n;
    if (!address)
        return NULL;
    while (__sync_lock_test_and_set(&targets->lock, 1))
        __builtin_ia32_pause();
    for (n = 0; n < LVD_TRAMPOLINES; n++) {
        struct lvd_target *target = &targets->list[n];
        if (target->address == address && target->peer == call->peer)
            break;
        if (!target->address && free == LVD_TRAMPOLINES)
            free = n;
    }
    if (n == LVD_TRAMPOLINES && free < LVD_TRAMPOLINES)
        targets->list[n = free] = (struct lvd_target){ call->peer, address };
    __sync_lock_release(&targets->lock);
    if (n < LVD_TRAMPOLINES)
        return trampolines[n];
    lvd_refuse(call);
    return NULL;
}
/* The address that the peer knows; the kernel's own functions, and those of other domains, do not cross. */
static inline void lvd_put_function(struct lvd_call *call, struct lvd_targets *targets, void *const *trampolines, void *function) {
    u64 address = 0;
    for (u32 n = 0; n < LVD_TRAMPOLINES; n++)
        if (trampolines[n] == function && targets->list[n].peer == call->peer)
            address = targets->list[n].address;
    lvd_put(call, address);
}
static inline void lvd_forget_functions(struct lvd_targets *targets, struct lvd_peer *peer) {
    for (u32 n = 0; n < LVD_TRAMPOLINES; n++)
        if (targets->list[n].peer == peer)
            targets->list[n] = (struct lvd_target){ NULL, 0 };
}
#endif
