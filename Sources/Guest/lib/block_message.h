/* How the block layer's objects are named in messages. All of what may be sent from deferred work fits into the registers. */
#ifndef LVD_BLOCK_MESSAGE_H
#define LVD_BLOCK_MESSAGE_H
#include "message.h"

enum { NAME_WORDS = 3 }; /* of a disk's name */

static inline u64 request_id(u32 queue, u32 tag) { return (u64)queue << 32 | tag; }
static inline u32 id_queue(u64 id) { return (u32)(id >> 32); }
static inline u32 id_tag(u64 id) { return (u32)id; }
#endif
