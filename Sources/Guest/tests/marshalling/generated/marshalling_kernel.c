/*
 * Interface "marshalling" of tests/marshalling/marshalling.idl, the side of the kernel.
 * Made by `lvdsim idl generate`; change the interface, not this.
 */
#include "marshalling.h"

struct lvd_peer *marshalling_peer;
static int early_static(int n);

static struct lvd_targets handler_targets;
#define HANDLER_TRAMPOLINE(LVD_N) \
    static int handler_trampoline_##LVD_N(void *cookie, int n) { \
        return handler_call(handler_targets.list[LVD_N].peer, handler_targets.list[LVD_N].address, cookie, n); \
    }
LVD_EACH_TRAMPOLINE(HANDLER_TRAMPOLINE)
#undef HANDLER_TRAMPOLINE
#define HANDLER_TRAMPOLINE(LVD_N) (void *)handler_trampoline_##LVD_N,
static void *const handler_trampolines[] = { LVD_EACH_TRAMPOLINE(HANDLER_TRAMPOLINE) };
#undef HANDLER_TRAMPOLINE

/* tests/marshalling/marshalling.idl:10: rpc_ptr handler */
static void handler_put(struct lvd_call *call, struct handler_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
    lvd_put(call, (u64)ctx->cookie);
}

static void handler_take(struct lvd_call *call, struct handler_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int handler_call(struct lvd_peer *peer, u64 target, void *cookie, int n) {
    struct handler_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->cookie = (void *)cookie;
    ctx->n = (int)n;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_handler);
    lvd_put(call, target);
    handler_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        handler_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:13: rpc integers */
static void integers_put(struct lvd_call *call, struct integers_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void integers_take(struct lvd_call *call, struct integers_context *ctx) {
    (void)call, (void)ctx;
    ctx->a = (char)lvd_take(call);
    ctx->b = (unsigned char)lvd_take(call);
    ctx->c = (short)lvd_take(call);
    ctx->d = (unsigned short)lvd_take(call);
    ctx->e = (int)lvd_take(call);
    ctx->f = (unsigned int)lvd_take(call);
    ctx->g = (long)lvd_take(call);
    ctx->h = (unsigned long)lvd_take(call);
    ctx->i = (bool)lvd_take(call);
    ctx->j = (s8)lvd_take(call);
    ctx->k = (u16)lvd_take(call);
    ctx->l = (u64)lvd_take(call);
}

static bool integers_handle(struct lvd_call *call, struct lvd_message *message) {
    struct integers_context context = {}, *ctx = &context;
    integers_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (long)integers(ctx->a, ctx->b, ctx->c, ctx->d, ctx->e, ctx->f, ctx->g, ctx->h, ctx->i, ctx->j,
        ctx->k, ctx->l);
    lvd_reply(call);
    integers_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:15: rpc directions */
static void directions_put_directed_inout(struct lvd_call *call, struct directions_context *ctx,
    struct directed *ptr);
static void directions_take_directed_inout(struct lvd_call *call, struct directions_context *ctx,
    struct directed *ptr);
/* tests/marshalling/marshalling.idl:16: projection directed */
static void directions_put_directed_inout(struct lvd_call *call, struct directions_context *ctx,
    struct directed *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->out_only);
    lvd_put(call, (u64)ptr->both);
}

/* tests/marshalling/marshalling.idl:16: projection directed */
static void directions_take_directed_inout(struct lvd_call *call, struct directions_context *ctx,
    struct directed *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->in_only = (int)lvd_take(call);
    ptr->both = (int)lvd_take(call);
}

static void directions_put(struct lvd_call *call, struct directions_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->d) {
        directions_put_directed_inout(call, ctx, ctx->d);
    }
}

static void directions_take(struct lvd_call *call, struct directions_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct directed *pointer_1 = lvd_scratch(call, sizeof(struct directed));
        ctx->d = (struct directed *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            directions_take_directed_inout(call, ctx, pointer_1);
        }
    } else {
        ctx->d = (struct directed *)NULL;
    }
}

static bool directions_handle(struct lvd_call *call, struct lvd_message *message) {
    struct directions_context context = {}, *ctx = &context;
    directions_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)directions(ctx->d);
    lvd_reply(call);
    directions_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:23: rpc bits */
/* tests/marshalling/marshalling.idl:24: projection bits */
static void bits_take_bits_in(struct lvd_call *call, struct bits_context *ctx, struct bits *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->a = (unsigned int)lvd_take(call);
    ptr->b = (unsigned int)lvd_take(call);
}

static void bits_put(struct lvd_call *call, struct bits_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void bits_take(struct lvd_call *call, struct bits_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct bits *pointer_1 = lvd_scratch(call, sizeof(struct bits));
        ctx->b = (struct bits *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            bits_take_bits_in(call, ctx, pointer_1);
        }
    } else {
        ctx->b = (struct bits *)NULL;
    }
}

static bool bits_handle(struct lvd_call *call, struct lvd_message *message) {
    struct bits_context context = {}, *ctx = &context;
    bits_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)bits(ctx->b);
    lvd_reply(call);
    bits_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:29: rpc bounded */
static void bounded_put(struct lvd_call *call, struct bounded_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void bounded_take(struct lvd_call *call, struct bounded_context *ctx) {
    (void)call, (void)ctx;
    ctx->index = (u32)lvd_take(call);
    lvd_require(call, call->slots.broken || (u64)ctx->index < (u64)(10));
}

static bool bounded_handle(struct lvd_call *call, struct lvd_message *message) {
    struct bounded_context context = {}, *ctx = &context;
    bounded_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)bounded(ctx->index);
    lvd_reply(call);
    bounded_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:30: rpc opaque */
static void opaque_put(struct lvd_call *call, struct opaque_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void opaque_take(struct lvd_call *call, struct opaque_context *ctx) {
    (void)call, (void)ctx;
    ctx->cookie = (void *)lvd_take(call);
}

static bool opaque_handle(struct lvd_call *call, struct lvd_message *message) {
    struct opaque_context context = {}, *ctx = &context;
    opaque_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (void *)opaque(ctx->cookie);
    lvd_reply(call);
    opaque_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:31: rpc casted */
/* tests/marshalling/marshalling.idl:7: projection item */
static void casted_take_item_in(struct lvd_call *call, struct casted_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void casted_put(struct lvd_call *call, struct casted_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void casted_take(struct lvd_call *call, struct casted_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct item *pointer_1 = lvd_scratch(call, sizeof(struct item));
        ctx->word = (unsigned long)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            casted_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->word = (unsigned long)NULL;
    }
}

static bool casted_handle(struct lvd_call *call, struct lvd_message *message) {
    struct casted_context context = {}, *ctx = &context;
    casted_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)casted(ctx->word);
    lvd_reply(call);
    casted_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:32: rpc unions */
static void unions_take_shape_in(struct lvd_call *call, struct unions_context *ctx, struct shape *ptr);
static void unions_take_body_in(struct lvd_call *call, struct unions_context *ctx, union body *ptr);
/* tests/marshalling/marshalling.idl:33: projection shape */
static void unions_take_shape_in(struct lvd_call *call, struct unions_context *ctx, struct shape *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->kind = (int)lvd_take(call);
    unions_take_body_in(call, ctx, &ptr->body);
}

/* tests/marshalling/marshalling.idl:37: projection body */
static void unions_take_body_in(struct lvd_call *call, struct unions_context *ctx, union body *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_take_bytes(call, ptr, LVD_LARGER(sizeof(ptr->bytes), sizeof(ptr->word)));
}

static void unions_put(struct lvd_call *call, struct unions_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void unions_take(struct lvd_call *call, struct unions_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct shape *pointer_1 = lvd_scratch(call, sizeof(struct shape));
        ctx->s = (struct shape *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            unions_take_shape_in(call, ctx, pointer_1);
        }
    } else {
        ctx->s = (struct shape *)NULL;
    }
}

static bool unions_handle(struct lvd_call *call, struct lvd_message *message) {
    struct unions_context context = {}, *ctx = &context;
    unions_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)unions(ctx->s);
    lvd_reply(call);
    unions_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:44: rpc fixed */
static void fixed_put(struct lvd_call *call, struct fixed_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void fixed_take(struct lvd_call *call, struct fixed_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        u32 *pointer_1 = lvd_scratch(call, 4 * sizeof(u32));
        ctx->values = (u32 *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            lvd_take_bytes(call, pointer_1, 4 * sizeof(u32));
        }
    } else {
        ctx->values = (u32 *)NULL;
    }
}

static bool fixed_handle(struct lvd_call *call, struct lvd_message *message) {
    struct fixed_context context = {}, *ctx = &context;
    fixed_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)fixed(ctx->values);
    lvd_reply(call);
    fixed_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:45: rpc dynamic */
static void dynamic_put(struct lvd_call *call, struct dynamic_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->values) {
        u64 count_1 = (u64)(ctx->n);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->values, count_1 * sizeof(u16));
    }
}

static void dynamic_take(struct lvd_call *call, struct dynamic_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (u32)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(u16));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->n));
        u16 *pointer_1 = lvd_scratch(call, count_1 * sizeof(u16));
        ctx->values = (u16 *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(u16));
        }
    } else {
        ctx->values = (u16 *)NULL;
    }
}

static bool dynamic_handle(struct lvd_call *call, struct lvd_message *message) {
    struct dynamic_context context = {}, *ctx = &context;
    dynamic_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)dynamic(ctx->values, ctx->n);
    lvd_reply(call);
    dynamic_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:46: rpc terminated */
static void terminated_put(struct lvd_call *call, struct terminated_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void terminated_take(struct lvd_call *call, struct terminated_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(u64));
        u64 *pointer_1 = lvd_scratch(call, count_1 * sizeof(u64));
        ctx->values = (u64 *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(u64));
            lvd_require_end(call, pointer_1, count_1, sizeof(u64));
        }
    } else {
        ctx->values = (u64 *)NULL;
    }
}

static bool terminated_handle(struct lvd_call *call, struct lvd_message *message) {
    struct terminated_context context = {}, *ctx = &context;
    terminated_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)terminated(ctx->values);
    lvd_reply(call);
    terminated_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:47: rpc in_place */
static void in_place_take_holder_in(struct lvd_call *call, struct in_place_context *ctx, struct holder *ptr);
static void in_place_take_item_in(struct lvd_call *call, struct in_place_context *ctx, struct item *ptr);
/* tests/marshalling/marshalling.idl:48: projection holder */
static void in_place_take_holder_in(struct lvd_call *call, struct in_place_context *ctx, struct holder *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->n = (u32)lvd_take(call);
    lvd_take_bytes(call, ptr->name, 5 * sizeof(u8));
    lvd_take_bytes(call, ptr->matrix, 3 * sizeof(u16 [2]));
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(u8));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ptr->n));
        u8 *pointer_1 = lvd_scratch(call, count_1 * sizeof(u8));
        ptr->list = (u8 *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(u8));
        }
    } else {
        ptr->list = (u8 *)NULL;
    }
    for (u64 index_1 = 0; index_1 < 2 && !call->slots.broken; index_1++) {
        if (lvd_take(call)) {
            struct item *pointer_2 = lvd_scratch(call, sizeof(struct item));
            ptr->children[index_1] = (struct item *)pointer_2;
            if (pointer_2 && !call->slots.broken) {
                in_place_take_item_in(call, ctx, pointer_2);
            }
        } else {
            ptr->children[index_1] = (struct item *)NULL;
        }
    }
}

/* tests/marshalling/marshalling.idl:7: projection item */
static void in_place_take_item_in(struct lvd_call *call, struct in_place_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void in_place_put(struct lvd_call *call, struct in_place_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void in_place_take(struct lvd_call *call, struct in_place_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct holder *pointer_1 = lvd_scratch(call, sizeof(struct holder));
        ctx->h = (struct holder *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            in_place_take_holder_in(call, ctx, pointer_1);
        }
    } else {
        ctx->h = (struct holder *)NULL;
    }
}

static bool in_place_handle(struct lvd_call *call, struct lvd_message *message) {
    struct in_place_context context = {}, *ctx = &context;
    in_place_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)in_place(ctx->h);
    lvd_reply(call);
    in_place_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:56: rpc text */
static void text_put(struct lvd_call *call, struct text_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void text_take(struct lvd_call *call, struct text_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(char));
        char *pointer_1 = lvd_scratch(call, count_1 * sizeof(char));
        ctx->text = (char *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(char));
            lvd_require_end(call, pointer_1, count_1, sizeof(char));
        }
    } else {
        ctx->text = (char *)NULL;
    }
}

static bool text_handle(struct lvd_call *call, struct lvd_message *message) {
    struct text_context context = {}, *ctx = &context;
    text_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)text(ctx->text);
    lvd_reply(call);
    text_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:57: rpc long_text */
static void long_text_put(struct lvd_call *call, struct long_text_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void long_text_take(struct lvd_call *call, struct long_text_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(char));
        char *pointer_1 = lvd_scratch(call, count_1 * sizeof(char));
        ctx->text = (char *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(char));
            lvd_require_end(call, pointer_1, count_1, sizeof(char));
        }
    } else {
        ctx->text = (char *)NULL;
    }
}

static bool long_text_handle(struct lvd_call *call, struct lvd_message *message) {
    struct long_text_context context = {}, *ctx = &context;
    long_text_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)long_text(ctx->text);
    lvd_reply(call);
    long_text_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:58: rpc fill */
static void fill_put(struct lvd_call *call, struct fill_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->buffer) {
        u64 count_1 = (u64)(ctx->room);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->buffer, count_1 * sizeof(char));
    }
}

static void fill_take(struct lvd_call *call, struct fill_context *ctx) {
    (void)call, (void)ctx;
    ctx->room = (u32)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = call->slots.broken ? 0 : (u64)(ctx->room);
        lvd_require(call, count_1 <= LVD_MOST_BYTES);
        char *pointer_1 = lvd_scratch(call, count_1 * sizeof(char));
        ctx->buffer = (char *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
        }
    } else {
        ctx->buffer = (char *)NULL;
    }
}

static bool fill_handle(struct lvd_call *call, struct lvd_message *message) {
    struct fill_context context = {}, *ctx = &context;
    fill_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)fill(ctx->buffer, ctx->room);
    lvd_reply(call);
    fill_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:59: rpc indirect */
/* tests/marshalling/marshalling.idl:7: projection item */
static void indirect_put_item_out(struct lvd_call *call, struct indirect_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void indirect_put(struct lvd_call *call, struct indirect_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->place) {
        if ((*ctx->place)) {
            lvd_put_object(call, (*ctx->place), LVD_TYPE_item);
            indirect_put_item_out(call, ctx, (*ctx->place));
        } else {
            lvd_put(call, 0);
        }
    }
}

static void indirect_take(struct lvd_call *call, struct indirect_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct item **pointer_1 = lvd_scratch(call, sizeof(struct item *));
        ctx->place = (struct item **)pointer_1;
        if (pointer_1 && !call->slots.broken) {
        }
    } else {
        ctx->place = (struct item **)NULL;
    }
}

static bool indirect_handle(struct lvd_call *call, struct lvd_message *message) {
    struct indirect_context context = {}, *ctx = &context;
    indirect_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)indirect(ctx->place);
    lvd_reply(call);
    indirect_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:62: rpc alloc */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_take_item_in(struct lvd_call *call, struct alloc_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void alloc_put(struct lvd_call *call, struct alloc_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void alloc_take(struct lvd_call *call, struct alloc_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, sizeof(struct item), 0, false);
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            alloc_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool alloc_handle(struct lvd_call *call, struct lvd_message *message) {
    struct alloc_context context = {}, *ctx = &context;
    alloc_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)alloc(ctx->item);
    lvd_reply(call);
    alloc_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:63: rpc bind */
/* tests/marshalling/marshalling.idl:7: projection item */
static void bind_take_item_in(struct lvd_call *call, struct bind_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void bind_put(struct lvd_call *call, struct bind_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void bind_take(struct lvd_call *call, struct bind_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            bind_take_item_in(call, ctx, pointer_1);
        }
    } else {
        lvd_refuse(call);
    }
}

static bool bind_handle(struct lvd_call *call, struct lvd_message *message) {
    struct bind_context context = {}, *ctx = &context;
    bind_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)bind(ctx->item);
    lvd_reply(call);
    bind_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:64: rpc dealloc */
/* tests/marshalling/marshalling.idl:7: projection item */
static void dealloc_take_item_in(struct lvd_call *call, struct dealloc_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void dealloc_put(struct lvd_call *call, struct dealloc_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void dealloc_take(struct lvd_call *call, struct dealloc_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            dealloc_take_item_in(call, ctx, pointer_1);
        }
    } else {
        lvd_refuse(call);
    }
}

static bool dealloc_handle(struct lvd_call *call, struct lvd_message *message) {
    struct dealloc_context context = {}, *ctx = &context;
    dealloc_take(call, ctx);
    enum lvd_ending ending_0 = lvd_drop(call, ctx->item, LVD_TYPE_item);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)dealloc(ctx->item);
    lvd_reply(call);
    dealloc_put(call, ctx);
    if (ending_0 == LVD_ENDED_SHADOW)
        lvd_free(ctx->item);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:65: rpc alloc_once */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_once_take_item_in(struct lvd_call *call, struct alloc_once_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void alloc_once_put(struct lvd_call *call, struct alloc_once_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void alloc_once_take(struct lvd_call *call, struct alloc_once_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, sizeof(struct item), 0, true);
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            alloc_once_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool alloc_once_handle(struct lvd_call *call, struct lvd_message *message) {
    struct alloc_once_context context = {}, *ctx = &context;
    alloc_once_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)alloc_once(ctx->item);
    lvd_reply(call);
    alloc_once_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:66: rpc alloc_size */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_size_take_item_in(struct lvd_call *call, struct alloc_size_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void alloc_size_put(struct lvd_call *call, struct alloc_size_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void alloc_size_take(struct lvd_call *call, struct alloc_size_context *ctx) {
    (void)call, (void)ctx;
    ctx->extra = (u64)lvd_take(call);
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        u64 bytes_1 = (u64)(sizeof(struct item) + ctx->extra);
        lvd_require(call, bytes_1 >= sizeof(struct item));
        struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, bytes_1,
            (u32)(GFP_KERNEL | __GFP_ZERO), false);
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            alloc_size_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool alloc_size_handle(struct lvd_call *call, struct lvd_message *message) {
    struct alloc_size_context context = {}, *ctx = &context;
    alloc_size_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)alloc_size(ctx->item, ctx->extra);
    lvd_reply(call);
    alloc_size_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:68: rpc alloc_stack */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_stack_take_item_in(struct lvd_call *call, struct alloc_stack_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void alloc_stack_put(struct lvd_call *call, struct alloc_stack_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void alloc_stack_take(struct lvd_call *call, struct alloc_stack_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct item *pointer_1 = lvd_scratch(call, sizeof(struct item));
        ctx->item = (struct item *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            alloc_stack_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool alloc_stack_handle(struct lvd_call *call, struct lvd_message *message) {
    struct alloc_stack_context context = {}, *ctx = &context;
    alloc_stack_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)alloc_stack(ctx->item);
    lvd_reply(call);
    alloc_stack_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:69: rpc alloc_bytes */
static void alloc_bytes_put(struct lvd_call *call, struct alloc_bytes_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void alloc_bytes_take(struct lvd_call *call, struct alloc_bytes_context *ctx) {
    (void)call, (void)ctx;
    ctx->size = (u64)lvd_take(call);
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        u64 bytes_1 = (u64)(ctx->size);
        lvd_require(call, bytes_1 >= 1);
        void *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_BYTES, bytes_1, 0, false);
        ctx->identity = (void *)pointer_1;
    } else {
        ctx->identity = (void *)NULL;
    }
}

static bool alloc_bytes_handle(struct lvd_call *call, struct lvd_message *message) {
    struct alloc_bytes_context context = {}, *ctx = &context;
    alloc_bytes_take(call, ctx);
    enum lvd_ending ending_0 = lvd_drop(call, ctx->identity, LVD_TYPE_BYTES);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)alloc_bytes(ctx->identity, ctx->size);
    lvd_reply(call);
    alloc_bytes_put(call, ctx);
    if (ending_0 == LVD_ENDED_SHADOW)
        lvd_free(ctx->identity);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:70: rpc make */
/* tests/marshalling/marshalling.idl:7: projection item */
static void make_put_item_out(struct lvd_call *call, struct make_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void make_put(struct lvd_call *call, struct make_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->ret_val) {
        lvd_put_object(call, ctx->ret_val, LVD_TYPE_item);
        make_put_item_out(call, ctx, ctx->ret_val);
    } else {
        lvd_put(call, 0);
    }
}

static void make_take(struct lvd_call *call, struct make_context *ctx) {
    (void)call, (void)ctx;
    ctx->value = (int)lvd_take(call);
}

static bool make_handle(struct lvd_call *call, struct lvd_message *message) {
    struct make_context context = {}, *ctx = &context;
    make_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (struct item *)make(ctx->value);
    lvd_reply(call);
    make_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:71: rpc same */
static void same_put_item_out(struct lvd_call *call, struct same_context *ctx, struct item *ptr);
static void same_take_item_in(struct lvd_call *call, struct same_context *ctx, struct item *ptr);
/* tests/marshalling/marshalling.idl:7: projection item */
static void same_put_item_out(struct lvd_call *call, struct same_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

/* tests/marshalling/marshalling.idl:7: projection item */
static void same_take_item_in(struct lvd_call *call, struct same_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void same_put(struct lvd_call *call, struct same_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->ret_val) {
        lvd_put_object(call, ctx->ret_val, LVD_TYPE_item);
        same_put_item_out(call, ctx, ctx->ret_val);
    } else {
        lvd_put(call, 0);
    }
}

static void same_take(struct lvd_call *call, struct same_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            same_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool same_handle(struct lvd_call *call, struct lvd_message *message) {
    struct same_context context = {}, *ctx = &context;
    same_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (struct item *)same(ctx->item);
    lvd_reply(call);
    same_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:72: rpc change */
static void change_put_item_inout(struct lvd_call *call, struct change_context *ctx, struct item *ptr);
static void change_take_item_inout(struct lvd_call *call, struct change_context *ctx, struct item *ptr);
/* tests/marshalling/marshalling.idl:7: projection item */
static void change_put_item_inout(struct lvd_call *call, struct change_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

/* tests/marshalling/marshalling.idl:7: projection item */
static void change_take_item_inout(struct lvd_call *call, struct change_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void change_put(struct lvd_call *call, struct change_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->item) {
        change_put_item_inout(call, ctx, ctx->item);
    }
}

static void change_take(struct lvd_call *call, struct change_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            change_take_item_inout(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool change_handle(struct lvd_call *call, struct lvd_message *message) {
    struct change_context context = {}, *ctx = &context;
    change_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)change(ctx->item);
    lvd_reply(call);
    change_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:73: rpc destroy */
/* tests/marshalling/marshalling.idl:7: projection item */
static void destroy_take_item_in(struct lvd_call *call, struct destroy_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void destroy_put(struct lvd_call *call, struct destroy_context *ctx) {
    (void)call, (void)ctx;
}

static void destroy_take(struct lvd_call *call, struct destroy_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->item = (struct item *)pointer_1;
        if (pointer_1) {
            destroy_take_item_in(call, ctx, pointer_1);
        }
    } else {
        ctx->item = (struct item *)NULL;
    }
}

static bool destroy_handle(struct lvd_call *call, struct lvd_message *message) {
    struct destroy_context context = {}, *ctx = &context;
    destroy_take(call, ctx);
    lvd_drop(call, ctx->item, LVD_TYPE_item);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    destroy(ctx->item);
    lvd_reply(call);
    destroy_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:74: rpc open */
/* tests/marshalling/marshalling.idl:7: projection item */
static void open_put_item_out(struct lvd_call *call, struct open_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void open_put(struct lvd_call *call, struct open_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_is_error(ctx->ret_val)) {
        lvd_put(call, -(u64)ctx->ret_val);
    } else {
        lvd_put(call, 0);
        if (ctx->ret_val) {
            lvd_put_object(call, ctx->ret_val, LVD_TYPE_item);
            open_put_item_out(call, ctx, ctx->ret_val);
        } else {
            lvd_put(call, 0);
        }
    }
}

static void open_take(struct lvd_call *call, struct open_context *ctx) {
    (void)call, (void)ctx;
    ctx->error = (int)lvd_take(call);
}

static bool open_handle(struct lvd_call *call, struct lvd_message *message) {
    struct open_context context = {}, *ctx = &context;
    open_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (struct item *)open(ctx->error);
    lvd_reply(call);
    open_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:75: rpc own */
static void own_take_owner_in(struct lvd_call *call, struct own_context *ctx, struct owner *ptr);
static void own_take_work_in(struct lvd_call *call, struct own_context *ctx, struct work *ptr);
/* tests/marshalling/marshalling.idl:76: projection owner */
static void own_take_owner_in(struct lvd_call *call, struct own_context *ctx, struct owner *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->id = (int)lvd_take(call);
    own_take_work_in(call, ctx, &ptr->work);
}

/* tests/marshalling/marshalling.idl:80: projection work */
static void own_take_work_in(struct lvd_call *call, struct own_context *ctx, struct work *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->state = (int)lvd_take(call);
}

static void own_put(struct lvd_call *call, struct own_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void own_take(struct lvd_call *call, struct own_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct owner *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_owner, sizeof(struct owner), 0, false);
        ctx->owner = (struct owner *)pointer_1;
        if (pointer_1) {
            own_take_owner_in(call, ctx, pointer_1);
        }
    } else {
        ctx->owner = (struct owner *)NULL;
    }
}

static bool own_handle(struct lvd_call *call, struct lvd_message *message) {
    struct own_context context = {}, *ctx = &context;
    own_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)own(ctx->owner);
    lvd_reply(call);
    own_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:84: rpc member */
static void member_put(struct lvd_call *call, struct member_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void member_take(struct lvd_call *call, struct member_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    u8 *container_1 = reference_1 ? lvd_take_object(call, reference_1, LVD_TYPE_owner, 1) : NULL;
    ctx->work = (struct work *)(container_1 ? container_1 + offsetof(struct owner, work) : NULL);
}

static bool member_handle(struct lvd_call *call, struct lvd_message *message) {
    struct member_context context = {}, *ctx = &context;
    member_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)member(ctx->work);
    lvd_reply(call);
    member_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:89: rpc inside_is */
/* tests/marshalling/marshalling.idl:90: projection frame */
static void inside_is_take_frame_in(struct lvd_call *call, struct inside_is_context *ctx, struct frame *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_take_bytes(call, ptr->bytes, 32 * sizeof(u8));
    u8 *pointer_1 = lvd_take_within(call, ptr->bytes, (u64)(sizeof(ptr->bytes)), sizeof(u8));
    ptr->cursor = (u8 *)pointer_1;
    if (pointer_1) {
        lvd_take_bytes(call, pointer_1, 1 * sizeof(u8));
    }
}

static void inside_is_put(struct lvd_call *call, struct inside_is_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void inside_is_take(struct lvd_call *call, struct inside_is_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct frame *pointer_1 = lvd_scratch(call, sizeof(struct frame));
        ctx->frame = (struct frame *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            inside_is_take_frame_in(call, ctx, pointer_1);
        }
    } else {
        ctx->frame = (struct frame *)NULL;
    }
}

static bool inside_is_handle(struct lvd_call *call, struct lvd_message *message) {
    struct inside_is_context context = {}, *ctx = &context;
    inside_is_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)inside_is(ctx->frame);
    lvd_reply(call);
    inside_is_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:95: rpc ring */
/* tests/marshalling/marshalling.idl:96: projection node */
static void ring_take_node_in(struct lvd_call *call, struct ring_context *ctx, struct node *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct node *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_node, sizeof(struct node), 0, true);
        ptr->next = (struct node *)pointer_1;
        if (pointer_1) {
            if (lvd_enter(call, pointer_1)) {
                ring_take_node_in(call, ctx, pointer_1);
                lvd_leave(call);
            }
        }
    } else {
        ptr->next = (struct node *)NULL;
    }
}

static void ring_put(struct lvd_call *call, struct ring_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void ring_take(struct lvd_call *call, struct ring_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct node *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_node, sizeof(struct node), 0, true);
        ctx->node = (struct node *)pointer_1;
        if (pointer_1) {
            if (lvd_enter(call, pointer_1)) {
                ring_take_node_in(call, ctx, pointer_1);
                lvd_leave(call);
            }
        }
    } else {
        ctx->node = (struct node *)NULL;
    }
}

static bool ring_handle(struct lvd_call *call, struct lvd_message *message) {
    struct ring_context context = {}, *ctx = &context;
    ring_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)ring(ctx->node);
    lvd_reply(call);
    ring_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:103: rpc shared */
static void shared_put(struct lvd_call *call, struct shared_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void shared_take(struct lvd_call *call, struct shared_context *ctx) {
    (void)call, (void)ctx;
    ctx->data = (u8 *)lvd_take_shared(call, MARSHALLING_REGION_payload, 16 * sizeof(u8));
}

static bool shared_handle(struct lvd_call *call, struct lvd_message *message) {
    struct shared_context context = {}, *ctx = &context;
    shared_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)shared(ctx->data);
    lvd_reply(call);
    shared_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:104: rpc window */
static void window_put(struct lvd_call *call, struct window_context *ctx) {
    (void)call, (void)ctx;
    lvd_put_window(call, ctx->ret_val);
}

static void window_take(struct lvd_call *call, struct window_context *ctx) {
    (void)call, (void)ctx;
    ctx->offset = (u64)lvd_take(call);
}

static bool window_handle(struct lvd_call *call, struct lvd_message *message) {
    struct window_context context = {}, *ctx = &context;
    window_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u32 *)window(ctx->offset);
    lvd_reply(call);
    window_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:105: rpc_ptr read */
static void read_put(struct lvd_call *call, struct read_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->count);
    if (ctx->buffer) {
        lvd_put(call, 1);
    } else {
        lvd_put(call, 0);
    }
}

static void read_take(struct lvd_call *call, struct read_context *ctx) {
    (void)call, (void)ctx;
    u64 room_1 = ctx->buffer ? (u64)(ctx->count) : 0;
    ctx->ret_val = (long)lvd_take(call);
    if (ctx->buffer) {
        u64 count_1 = lvd_take_count(call, sizeof(char));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->count));
        lvd_require(call, count_1 <= room_1);
        if (call->slots.broken) {
            return;
        }
        char *copy_1 = lvd_scratch(call, count_1 * sizeof(char));
        if (copy_1) {
            lvd_take_bytes(call, copy_1, count_1 * sizeof(char));
            lvd_to_user(call, ctx->buffer, copy_1, count_1 * sizeof(char));
        }
    }
}

long read_call(struct lvd_peer *peer, u64 target, char *buffer, unsigned long count) {
    struct read_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->buffer = (char *)buffer;
    ctx->count = (unsigned long)count;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_read);
    lvd_put(call, target);
    read_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        read_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (long)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:106: rpc_ptr write */
static void write_put(struct lvd_call *call, struct write_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->count);
    if (ctx->buffer) {
        lvd_put(call, 1);
        u64 count_1 = (u64)(ctx->count);
        lvd_put(call, count_1);
        char *copy_1 = lvd_from_user(call, ctx->buffer, count_1 * sizeof(char));
        lvd_put_bytes(call, copy_1, count_1 * sizeof(char));
    } else {
        lvd_put(call, 0);
    }
}

static void write_take(struct lvd_call *call, struct write_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (long)lvd_take(call);
}

long write_call(struct lvd_peer *peer, u64 target, const char *buffer, unsigned long count) {
    struct write_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->buffer = (char *)buffer;
    ctx->count = (unsigned long)count;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_write);
    lvd_put(call, target);
    write_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        write_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (long)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:109: rpc register_handler */
static void register_handler_put(struct lvd_call *call, struct register_handler_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void register_handler_take(struct lvd_call *call, struct register_handler_context *ctx) {
    (void)call, (void)ctx;
    ctx->f = (handler_function *)lvd_take_function(call, &handler_targets, handler_trampolines);
    ctx->cookie = (void *)lvd_take(call);
}

static bool register_handler_handle(struct lvd_call *call, struct lvd_message *message) {
    struct register_handler_context context = {}, *ctx = &context;
    register_handler_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)register_handler(ctx->f, ctx->cookie);
    lvd_reply(call);
    register_handler_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:110: rpc call_handler */
static void call_handler_put(struct lvd_call *call, struct call_handler_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void call_handler_take(struct lvd_call *call, struct call_handler_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
}

static bool call_handler_handle(struct lvd_call *call, struct lvd_message *message) {
    struct call_handler_context context = {}, *ctx = &context;
    call_handler_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)call_handler(ctx->n);
    lvd_reply(call);
    call_handler_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:111: rpc register_operations */
/* tests/marshalling/marshalling.idl:112: projection operations */
static void register_operations_take_operations_in(struct lvd_call *call, struct register_operations_context *ctx,
    struct operations *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->early = lvd_take(call) ? early_static : NULL;
    ptr->late = (handler_function *)lvd_take_function(call, &handler_targets, handler_trampolines);
    ptr->own = lvd_take(call) ? helper : NULL;
}

static void register_operations_put(struct lvd_call *call, struct register_operations_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void register_operations_take(struct lvd_call *call, struct register_operations_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct operations *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_operations,
            sizeof(struct operations), 0, true);
        ctx->ops = (struct operations *)pointer_1;
        if (pointer_1) {
            register_operations_take_operations_in(call, ctx, pointer_1);
        }
    } else {
        ctx->ops = (struct operations *)NULL;
    }
}

static bool register_operations_handle(struct lvd_call *call, struct lvd_message *message) {
    struct register_operations_context context = {}, *ctx = &context;
    register_operations_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)register_operations(ctx->ops);
    lvd_reply(call);
    register_operations_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:118: rpc_ptr early */
static void early_put(struct lvd_call *call, struct early_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
}

static void early_take(struct lvd_call *call, struct early_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int early_call(struct lvd_peer *peer, u64 target, int n) {
    struct early_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->n = (int)n;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_early);
    lvd_put(call, target);
    early_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        early_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

static int early_static(int n) { return early_call(marshalling_peer, 0, n); }

/* tests/marshalling/marshalling.idl:119: rpc helper */
static void helper_put(struct lvd_call *call, struct helper_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void helper_take(struct lvd_call *call, struct helper_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
}

static bool helper_handle(struct lvd_call *call, struct lvd_message *message) {
    struct helper_context context = {}, *ctx = &context;
    helper_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)helper(ctx->n);
    lvd_reply(call);
    helper_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:120: rpc call_operations */
static void call_operations_put(struct lvd_call *call, struct call_operations_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void call_operations_take(struct lvd_call *call, struct call_operations_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
}

static bool call_operations_handle(struct lvd_call *call, struct lvd_message *message) {
    struct call_operations_context context = {}, *ctx = &context;
    call_operations_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)call_operations(ctx->n);
    lvd_reply(call);
    call_operations_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:121: rpc_export export */
static void export_put(struct lvd_call *call, struct export_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
}

static void export_take(struct lvd_call *call, struct export_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int export_call(struct lvd_peer *peer, int n) {
    struct export_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->n = (int)n;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_export);
    export_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        export_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

int export(int n) { return export_call(marshalling_peer, n); }

/* tests/marshalling/marshalling.idl:122: rpc_ptr fetch */
static void fetch_put(struct lvd_call *call, struct fetch_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
    if (ctx->buffer) {
        lvd_put(call, 1);
    } else {
        lvd_put(call, 0);
    }
}

static void fetch_take(struct lvd_call *call, struct fetch_context *ctx) {
    (void)call, (void)ctx;
    u64 room_1 = ctx->buffer ? (u64)(ctx->n) : 0;
    ctx->ret_val = (u64)lvd_take(call);
    if (ctx->buffer) {
        u64 count_1 = lvd_take_count(call, sizeof(u8));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->n));
        lvd_require(call, count_1 <= room_1);
        if (call->slots.broken) {
            return;
        }
        lvd_take_bytes(call, ctx->buffer, count_1 * sizeof(u8));
    }
}

u64 fetch_call(struct lvd_peer *peer, u64 target, u8 *buffer, u32 n) {
    struct fetch_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->buffer = (u8 *)buffer;
    ctx->n = (u32)n;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_fetch);
    lvd_put(call, target);
    fetch_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        fetch_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:123: rpc_ptr lookup */
/* tests/marshalling/marshalling.idl:7: projection item */
static void lookup_take_item_out(struct lvd_call *call, struct lookup_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void lookup_put(struct lvd_call *call, struct lookup_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
}

static void lookup_take(struct lvd_call *call, struct lookup_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->ret_val = (struct item *)pointer_1;
        if (pointer_1) {
            lookup_take_item_out(call, ctx, pointer_1);
        }
    } else {
        ctx->ret_val = (struct item *)NULL;
    }
}

struct item *lookup_call(struct lvd_peer *peer, u64 target, int n) {
    struct lookup_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->n = (int)n;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_lookup);
    lvd_put(call, target);
    lookup_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        lookup_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (struct item *)NULL;
}

/* tests/marshalling/marshalling.idl:124: rpc_ptr title */
static void title_put(struct lvd_call *call, struct title_context *ctx) {
    (void)call, (void)ctx;
}

static void title_take(struct lvd_call *call, struct title_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(char));
        char *pointer_1 = lvd_keep(call, count_1 * sizeof(char));
        ctx->ret_val = (char *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(char));
            lvd_require_end(call, pointer_1, count_1, sizeof(char));
        }
    } else {
        ctx->ret_val = (char *)NULL;
    }
}

char *title_call(struct lvd_peer *peer, u64 target) {
    struct title_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_title);
    lvd_put(call, target);
    title_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        title_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (char *)NULL;
}

/* tests/marshalling/marshalling.idl:125: rpc_ptr describe */
static void describe_put_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr);
static void describe_take_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr);
/* tests/marshalling/marshalling.idl:126: projection box */
static void describe_put_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->n);
}

/* tests/marshalling/marshalling.idl:126: projection box */
static void describe_take_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr) {
    (void)call, (void)ctx, (void)ptr;
    u64 room_1 = ptr->bytes ? (u64)(ptr->n) : 0;
    u64 room_2 = ptr->more ? (u64)(ptr->n) : 0;
    ptr->sum = (int)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(u8));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ptr->n));
        u8 *pointer_1 = ptr->bytes;
        if (pointer_1) {
            lvd_require(call, count_1 <= room_1);
        } else {
            pointer_1 = lvd_keep(call, count_1 * sizeof(u8));
        }
        ptr->bytes = (u8 *)pointer_1;
        lvd_kept_in(call, pointer_1, &ptr->bytes);
        lvd_require(call, pointer_1 != NULL);
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(u8));
        }
    } else {
    }
    if (lvd_take(call)) {
        u64 count_2 = lvd_take_count(call, sizeof(u8));
        lvd_require(call, !call->slots.broken && count_2 == (u64)(ptr->n));
        u8 *pointer_2 = ptr->more;
        if (pointer_2) {
            lvd_require(call, count_2 <= room_2);
        } else {
            pointer_2 = lvd_keep(call, count_2 * sizeof(u8));
        }
        ptr->more = (u8 *)pointer_2;
        lvd_kept_in(call, pointer_2, &ptr->more);
        lvd_require(call, pointer_2 != NULL);
        if (pointer_2 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_2, count_2 * sizeof(u8));
        }
    } else {
    }
}

static void describe_put(struct lvd_call *call, struct describe_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->box) {
        lvd_put(call, 1);
        describe_put_box_inout(call, ctx, ctx->box);
    } else {
        lvd_put(call, 0);
    }
}

static void describe_take(struct lvd_call *call, struct describe_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
    if (ctx->box) {
        describe_take_box_inout(call, ctx, ctx->box);
    }
}

int describe_call(struct lvd_peer *peer, u64 target, struct box *box) {
    struct describe_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->box = (struct box *)box;
    lvd_begin(call, peer, MARSHALLING_IN_DOMAIN_describe);
    lvd_put(call, target);
    describe_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        describe_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:141: rpc track */
/* tests/marshalling/marshalling.idl:135: projection counter */
static void track_take_counter_in(struct lvd_call *call, struct track_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->hits = (int)lvd_take(call);
    ptr->misses = (int)lvd_take(call);
}

static void track_put(struct lvd_call *call, struct track_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void track_take(struct lvd_call *call, struct track_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct counter *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_counter, sizeof(struct counter), 0,
            false);
        ctx->c = (struct counter *)pointer_1;
        if (pointer_1) {
            track_take_counter_in(call, ctx, pointer_1);
        }
    } else {
        ctx->c = (struct counter *)NULL;
    }
}

static bool track_handle(struct lvd_call *call, struct lvd_message *message) {
    struct track_context context = {}, *ctx = &context;
    track_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)track(ctx->c);
    lvd_reply(call);
    track_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:142: rpc tracked */
/* tests/marshalling/marshalling.idl:135: projection counter */
static void tracked_take_counter_in(struct lvd_call *call, struct tracked_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->hits = (int)lvd_take(call);
    ptr->misses = (int)lvd_take(call);
}

static void tracked_put(struct lvd_call *call, struct tracked_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void tracked_take(struct lvd_call *call, struct tracked_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct counter *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_counter, sizeof(struct counter));
        ctx->c = (struct counter *)pointer_1;
        if (pointer_1) {
            tracked_take_counter_in(call, ctx, pointer_1);
        }
    } else {
        ctx->c = (struct counter *)NULL;
    }
}

static bool tracked_handle(struct lvd_call *call, struct lvd_message *message) {
    struct tracked_context context = {}, *ctx = &context;
    tracked_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)tracked(ctx->c);
    lvd_reply(call);
    tracked_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:139: marshalling_lock_counter_guard */
/* tests/marshalling/marshalling.idl:139: projection counter_guard */
static void marshalling_lock_counter_guard_put_counter_guard_out(struct lvd_call *call,
    struct marshalling_lock_counter_guard_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->hits);
    lvd_put(call, (u64)ptr->misses);
}

static void marshalling_lock_counter_guard_put(struct lvd_call *call,
    struct marshalling_lock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->object) {
        marshalling_lock_counter_guard_put_counter_guard_out(call, ctx, ctx->object);
    }
}

static void marshalling_lock_counter_guard_take(struct lvd_call *call,
    struct marshalling_lock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct counter *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_counter, sizeof(struct counter));
        ctx->object = (struct counter *)pointer_1;
    } else {
        ctx->object = (struct counter *)NULL;
    }
}

static bool marshalling_lock_counter_guard_handle(struct lvd_call *call, struct lvd_message *message) {
    struct marshalling_lock_counter_guard_context context = {}, *ctx = &context;
    marshalling_lock_counter_guard_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_require(call, lvd_lock(call->peer, MARSHALLING_LOCK_counter_guard, ctx->object));
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    marshalling_lock_counter_guard_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:139: marshalling_unlock_counter_guard */
/* tests/marshalling/marshalling.idl:139: projection counter_guard */
static void marshalling_unlock_counter_guard_take_counter_guard_in(struct lvd_call *call,
    struct marshalling_unlock_counter_guard_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->hits = (int)lvd_take(call);
    ptr->misses = (int)lvd_take(call);
}

static void marshalling_unlock_counter_guard_put(struct lvd_call *call,
    struct marshalling_unlock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_unlock_counter_guard_take(struct lvd_call *call,
    struct marshalling_unlock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct counter *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_counter, sizeof(struct counter));
        ctx->object = (struct counter *)pointer_1;
        if (pointer_1) {
            marshalling_unlock_counter_guard_take_counter_guard_in(call, ctx, pointer_1);
        }
    } else {
        ctx->object = (struct counter *)NULL;
    }
}

static bool marshalling_unlock_counter_guard_handle(struct lvd_call *call, struct lvd_message *message) {
    struct marshalling_unlock_counter_guard_context context = {}, *ctx = &context;
    marshalling_unlock_counter_guard_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_require(call, lvd_unlock(call->peer, MARSHALLING_LOCK_counter_guard, ctx->object));
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    marshalling_unlock_counter_guard_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:3: marshalling_lock_table */
static void marshalling_lock_table_put(struct lvd_call *call, struct marshalling_lock_table_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_lock_table_take(struct lvd_call *call, struct marshalling_lock_table_context *ctx) {
    (void)call, (void)ctx;
}

static bool marshalling_lock_table_handle(struct lvd_call *call, struct lvd_message *message) {
    struct marshalling_lock_table_context context = {}, *ctx = &context;
    marshalling_lock_table_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_require(call, lvd_lock(call->peer, MARSHALLING_LOCK_table, NULL));
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    marshalling_lock_table_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:3: marshalling_unlock_table */
static void marshalling_unlock_table_put(struct lvd_call *call, struct marshalling_unlock_table_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_unlock_table_take(struct lvd_call *call, struct marshalling_unlock_table_context *ctx) {
    (void)call, (void)ctx;
}

static bool marshalling_unlock_table_handle(struct lvd_call *call, struct lvd_message *message) {
    struct marshalling_unlock_table_context context = {}, *ctx = &context;
    marshalling_unlock_table_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_require(call, lvd_unlock(call->peer, MARSHALLING_LOCK_table, NULL));
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    marshalling_unlock_table_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:4: marshalling_read_ticks */
static void marshalling_read_ticks_put(struct lvd_call *call, struct marshalling_read_ticks_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void marshalling_read_ticks_take(struct lvd_call *call, struct marshalling_read_ticks_context *ctx) {
    (void)call, (void)ctx;
}

static bool marshalling_read_ticks_handle(struct lvd_call *call, struct lvd_message *message) {
    struct marshalling_read_ticks_context context = {}, *ctx = &context;
    marshalling_read_ticks_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = ticks;
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    marshalling_read_ticks_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:5: marshalling_read_first_item */
/* tests/marshalling/marshalling.idl:7: projection item */
static void marshalling_read_first_item_put_item_out(struct lvd_call *call,
    struct marshalling_read_first_item_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void marshalling_read_first_item_put(struct lvd_call *call, struct marshalling_read_first_item_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->ret_val) {
        lvd_put_object(call, ctx->ret_val, LVD_TYPE_item);
        marshalling_read_first_item_put_item_out(call, ctx, ctx->ret_val);
    } else {
        lvd_put(call, 0);
    }
}

static void marshalling_read_first_item_take(struct lvd_call *call, struct marshalling_read_first_item_context *ctx) {
    (void)call, (void)ctx;
}

static bool marshalling_read_first_item_handle(struct lvd_call *call, struct lvd_message *message) {
    struct marshalling_read_first_item_context context = {}, *ctx = &context;
    marshalling_read_first_item_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = first_item;
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    lvd_reply(call);
    marshalling_read_first_item_put(call, ctx);
    return lvd_finish(call, message);
}

bool marshalling_kernel_dispatch(struct lvd_peer *peer, struct lvd_message *message) {
    struct lvd_call call;
    lvd_receive(&call, peer, message);
    switch (call.rpc) {
    case MARSHALLING_IN_KERNEL_integers: return integers_handle(&call, message);
    case MARSHALLING_IN_KERNEL_directions: return directions_handle(&call, message);
    case MARSHALLING_IN_KERNEL_bits: return bits_handle(&call, message);
    case MARSHALLING_IN_KERNEL_bounded: return bounded_handle(&call, message);
    case MARSHALLING_IN_KERNEL_opaque: return opaque_handle(&call, message);
    case MARSHALLING_IN_KERNEL_casted: return casted_handle(&call, message);
    case MARSHALLING_IN_KERNEL_unions: return unions_handle(&call, message);
    case MARSHALLING_IN_KERNEL_fixed: return fixed_handle(&call, message);
    case MARSHALLING_IN_KERNEL_dynamic: return dynamic_handle(&call, message);
    case MARSHALLING_IN_KERNEL_terminated: return terminated_handle(&call, message);
    case MARSHALLING_IN_KERNEL_in_place: return in_place_handle(&call, message);
    case MARSHALLING_IN_KERNEL_text: return text_handle(&call, message);
    case MARSHALLING_IN_KERNEL_long_text: return long_text_handle(&call, message);
    case MARSHALLING_IN_KERNEL_fill: return fill_handle(&call, message);
    case MARSHALLING_IN_KERNEL_indirect: return indirect_handle(&call, message);
    case MARSHALLING_IN_KERNEL_alloc: return alloc_handle(&call, message);
    case MARSHALLING_IN_KERNEL_bind: return bind_handle(&call, message);
    case MARSHALLING_IN_KERNEL_dealloc: return dealloc_handle(&call, message);
    case MARSHALLING_IN_KERNEL_alloc_once: return alloc_once_handle(&call, message);
    case MARSHALLING_IN_KERNEL_alloc_size: return alloc_size_handle(&call, message);
    case MARSHALLING_IN_KERNEL_alloc_stack: return alloc_stack_handle(&call, message);
    case MARSHALLING_IN_KERNEL_alloc_bytes: return alloc_bytes_handle(&call, message);
    case MARSHALLING_IN_KERNEL_make: return make_handle(&call, message);
    case MARSHALLING_IN_KERNEL_same: return same_handle(&call, message);
    case MARSHALLING_IN_KERNEL_change: return change_handle(&call, message);
    case MARSHALLING_IN_KERNEL_destroy: return destroy_handle(&call, message);
    case MARSHALLING_IN_KERNEL_open: return open_handle(&call, message);
    case MARSHALLING_IN_KERNEL_own: return own_handle(&call, message);
    case MARSHALLING_IN_KERNEL_member: return member_handle(&call, message);
    case MARSHALLING_IN_KERNEL_inside_is: return inside_is_handle(&call, message);
    case MARSHALLING_IN_KERNEL_ring: return ring_handle(&call, message);
    case MARSHALLING_IN_KERNEL_shared: return shared_handle(&call, message);
    case MARSHALLING_IN_KERNEL_window: return window_handle(&call, message);
    case MARSHALLING_IN_KERNEL_register_handler: return register_handler_handle(&call, message);
    case MARSHALLING_IN_KERNEL_call_handler: return call_handler_handle(&call, message);
    case MARSHALLING_IN_KERNEL_register_operations: return register_operations_handle(&call, message);
    case MARSHALLING_IN_KERNEL_helper: return helper_handle(&call, message);
    case MARSHALLING_IN_KERNEL_call_operations: return call_operations_handle(&call, message);
    case MARSHALLING_IN_KERNEL_track: return track_handle(&call, message);
    case MARSHALLING_IN_KERNEL_tracked: return tracked_handle(&call, message);
    case MARSHALLING_IN_KERNEL_marshalling_lock_counter_guard: return marshalling_lock_counter_guard_handle(&call,
        message);
    case MARSHALLING_IN_KERNEL_marshalling_unlock_counter_guard: return marshalling_unlock_counter_guard_handle(&call, message);
    case MARSHALLING_IN_KERNEL_marshalling_lock_table: return marshalling_lock_table_handle(&call, message);
    case MARSHALLING_IN_KERNEL_marshalling_unlock_table: return marshalling_unlock_table_handle(&call, message);
    case MARSHALLING_IN_KERNEL_marshalling_read_ticks: return marshalling_read_ticks_handle(&call, message);
    case MARSHALLING_IN_KERNEL_marshalling_read_first_item: return marshalling_read_first_item_handle(&call, message);
    default: return false;
    }
}

void marshalling_kernel_forget(struct lvd_peer *peer) {
    lvd_forget_functions(&handler_targets, peer);
    if (marshalling_peer == peer)
        marshalling_peer = NULL;
}
