/* Slots of a message: the first six travel in registers, the others in the register page. Both ends check every bound (S18). */
#ifndef LVD_SLOTS_H
#define LVD_SLOTS_H
#include <linux/types.h>
#include <lvd/rpc.h>

struct slots {
    struct lvd_message *message;
    u64 *registers; /* the register page */
    u32 next, count;
    bool broken;    /* a bound was hit: values read are 0 from then on */
};

static inline struct slots slots_begin(struct lvd_message *message, u64 *registers) {
    return (struct slots){ message, registers, 0, 0, false };
}

/* For reading what the other side packed. */
static inline struct slots slots_open(struct lvd_message *message, u64 *registers) {
    u64 count = message->words[1];
    return (struct slots){ message, registers, 0, count <= LVD_MAX_SLOTS ? (u32)count : 0, count > LVD_MAX_SLOTS };
}

static inline u64 *slot_address(struct slots *slots, u32 n) {
    return n < LVD_MESSAGE_SLOTS ? &slots->message->words[2 + n] : &slots->registers[n];
}

static inline void pack(struct slots *slots, u64 value) {
    if (slots->next >= LVD_MAX_SLOTS) {
        slots->broken = true;
        return;
    }
    *slot_address(slots, slots->next++) = value;
    slots->message->words[1] = slots->next;
}

static inline u64 unpack(struct slots *slots) {
    if (slots->broken || slots->next >= slots->count) {
        slots->broken = true;
        return 0;
    }
    return *slot_address(slots, slots->next++);
}

static inline u64 rpc_word(u32 class, u32 number) { return number | (u64)class << 32; }
#endif
