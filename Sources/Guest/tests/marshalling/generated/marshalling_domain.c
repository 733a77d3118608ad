/*
 * Interface "marshalling" of tests/marshalling/marshalling.idl, the side of the domain.
 * Made by `lvdsim idl generate`; change the interface, not this.
 */
#include "marshalling.h"

int ticks;
struct item *first_item;

/* tests/marshalling/marshalling.idl:10: rpc_ptr handler */
static void handler_put(struct lvd_call *call, struct handler_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void handler_take(struct lvd_call *call, struct handler_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
    ctx->cookie = (void *)lvd_take(call);
}

static bool handler_handle(struct lvd_call *call, struct lvd_message *message) {
    struct handler_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    handler_take(call, ctx);
    handler_function *function = target ? (handler_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)function(ctx->cookie, ctx->n);
    lvd_reply(call);
    handler_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:13: rpc integers */
static void integers_put(struct lvd_call *call, struct integers_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->a);
    lvd_put(call, (u64)ctx->b);
    lvd_put(call, (u64)ctx->c);
    lvd_put(call, (u64)ctx->d);
    lvd_put(call, (u64)ctx->e);
    lvd_put(call, (u64)ctx->f);
    lvd_put(call, (u64)ctx->g);
    lvd_put(call, (u64)ctx->h);
    lvd_put(call, (u64)ctx->i);
    lvd_put(call, (u64)ctx->j);
    lvd_put(call, (u64)ctx->k);
    lvd_put(call, (u64)ctx->l);
}

static void integers_take(struct lvd_call *call, struct integers_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (long)lvd_take(call);
}

long integers(char a, unsigned char b, short c, unsigned short d, int e, unsigned int f, long g, unsigned long h,
    bool i, s8 j, u16 k, u64 l) {
    struct integers_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->a = (char)a;
    ctx->b = (unsigned char)b;
    ctx->c = (short)c;
    ctx->d = (unsigned short)d;
    ctx->e = (int)e;
    ctx->f = (unsigned int)f;
    ctx->g = (long)g;
    ctx->h = (unsigned long)h;
    ctx->i = (bool)i;
    ctx->j = (s8)j;
    ctx->k = (u16)k;
    ctx->l = (u64)l;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_integers);
    integers_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        integers_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (long)-LVD_GLUE_EFAULT;
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
    lvd_put(call, (u64)ptr->in_only);
    lvd_put(call, (u64)ptr->both);
}

/* tests/marshalling/marshalling.idl:16: projection directed */
static void directions_take_directed_inout(struct lvd_call *call, struct directions_context *ctx,
    struct directed *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->out_only = (int)lvd_take(call);
    ptr->both = (int)lvd_take(call);
}

static void directions_put(struct lvd_call *call, struct directions_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->d) {
        lvd_put(call, 1);
        directions_put_directed_inout(call, ctx, ctx->d);
    } else {
        lvd_put(call, 0);
    }
}

static void directions_take(struct lvd_call *call, struct directions_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
    if (ctx->d) {
        directions_take_directed_inout(call, ctx, ctx->d);
    }
}

int directions(struct directed *d) {
    struct directions_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->d = (struct directed *)d;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_directions);
    directions_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        directions_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:23: rpc bits */
/* tests/marshalling/marshalling.idl:24: projection bits */
static void bits_put_bits_in(struct lvd_call *call, struct bits_context *ctx, struct bits *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->a);
    lvd_put(call, (u64)ptr->b);
}

static void bits_put(struct lvd_call *call, struct bits_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->b) {
        lvd_put(call, 1);
        bits_put_bits_in(call, ctx, ctx->b);
    } else {
        lvd_put(call, 0);
    }
}

static void bits_take(struct lvd_call *call, struct bits_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int bits(struct bits *b) {
    struct bits_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->b = (struct bits *)b;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_bits);
    bits_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        bits_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:29: rpc bounded */
static void bounded_put(struct lvd_call *call, struct bounded_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->index);
}

static void bounded_take(struct lvd_call *call, struct bounded_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int bounded(u32 index) {
    struct bounded_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->index = (u32)index;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_bounded);
    bounded_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        bounded_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:30: rpc opaque */
static void opaque_put(struct lvd_call *call, struct opaque_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->cookie);
}

static void opaque_take(struct lvd_call *call, struct opaque_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (void *)lvd_take(call);
}

void *opaque(void *cookie) {
    struct opaque_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->cookie = (void *)cookie;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_opaque);
    opaque_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        opaque_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (void *)NULL;
}

/* tests/marshalling/marshalling.idl:31: rpc casted */
/* tests/marshalling/marshalling.idl:7: projection item */
static void casted_put_item_in(struct lvd_call *call, struct casted_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void casted_put(struct lvd_call *call, struct casted_context *ctx) {
    (void)call, (void)ctx;
    if (((struct item *)ctx->word)) {
        lvd_put(call, 1);
        casted_put_item_in(call, ctx, ((struct item *)ctx->word));
    } else {
        lvd_put(call, 0);
    }
}

static void casted_take(struct lvd_call *call, struct casted_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int casted(unsigned long word) {
    struct casted_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->word = (unsigned long)word;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_casted);
    casted_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        casted_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:32: rpc unions */
static void unions_put_shape_in(struct lvd_call *call, struct unions_context *ctx, struct shape *ptr);
static void unions_put_body_in(struct lvd_call *call, struct unions_context *ctx, union body *ptr);
/* tests/marshalling/marshalling.idl:33: projection shape */
static void unions_put_shape_in(struct lvd_call *call, struct unions_context *ctx, struct shape *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->kind);
    unions_put_body_in(call, ctx, &ptr->body);
}

/* tests/marshalling/marshalling.idl:37: projection body */
static void unions_put_body_in(struct lvd_call *call, struct unions_context *ctx, union body *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put_bytes(call, ptr, LVD_LARGER(sizeof(ptr->bytes), sizeof(ptr->word)));
}

static void unions_put(struct lvd_call *call, struct unions_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->s) {
        lvd_put(call, 1);
        unions_put_shape_in(call, ctx, ctx->s);
    } else {
        lvd_put(call, 0);
    }
}

static void unions_take(struct lvd_call *call, struct unions_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int unions(struct shape *s) {
    struct unions_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->s = (struct shape *)s;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_unions);
    unions_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        unions_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:44: rpc fixed */
static void fixed_put(struct lvd_call *call, struct fixed_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->values) {
        lvd_put(call, 1);
        lvd_put_bytes(call, ctx->values, 4 * sizeof(u32));
    } else {
        lvd_put(call, 0);
    }
}

static void fixed_take(struct lvd_call *call, struct fixed_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u64)lvd_take(call);
}

u64 fixed(u32 *values) {
    struct fixed_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->values = (u32 *)values;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_fixed);
    fixed_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        fixed_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:45: rpc dynamic */
static void dynamic_put(struct lvd_call *call, struct dynamic_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
    if (ctx->values) {
        lvd_put(call, 1);
        u64 count_1 = (u64)(ctx->n);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->values, count_1 * sizeof(u16));
    } else {
        lvd_put(call, 0);
    }
}

static void dynamic_take(struct lvd_call *call, struct dynamic_context *ctx) {
    (void)call, (void)ctx;
    u64 room_1 = ctx->values ? (u64)(ctx->n) : 0;
    ctx->ret_val = (u64)lvd_take(call);
    if (ctx->values) {
        u64 count_1 = lvd_take_count(call, sizeof(u16));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->n));
        lvd_require(call, count_1 <= room_1);
        if (call->slots.broken) {
            return;
        }
        lvd_take_bytes(call, ctx->values, count_1 * sizeof(u16));
    }
}

u64 dynamic(u16 *values, u32 n) {
    struct dynamic_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->values = (u16 *)values;
    ctx->n = (u32)n;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_dynamic);
    dynamic_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        dynamic_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:46: rpc terminated */
static void terminated_put(struct lvd_call *call, struct terminated_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->values) {
        lvd_put(call, 1);
        u64 count_1 = lvd_length(ctx->values, sizeof(u64));
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->values, count_1 * sizeof(u64));
    } else {
        lvd_put(call, 0);
    }
}

static void terminated_take(struct lvd_call *call, struct terminated_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u64)lvd_take(call);
}

u64 terminated(u64 *values) {
    struct terminated_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->values = (u64 *)values;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_terminated);
    terminated_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        terminated_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:47: rpc in_place */
static void in_place_put_holder_in(struct lvd_call *call, struct in_place_context *ctx, struct holder *ptr);
static void in_place_put_item_in(struct lvd_call *call, struct in_place_context *ctx, struct item *ptr);
/* tests/marshalling/marshalling.idl:48: projection holder */
static void in_place_put_holder_in(struct lvd_call *call, struct in_place_context *ctx, struct holder *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->n);
    lvd_put_bytes(call, ptr->name, 5 * sizeof(u8));
    lvd_put_bytes(call, ptr->matrix, 3 * sizeof(u16 [2]));
    if (ptr->list) {
        lvd_put(call, 1);
        u64 count_1 = (u64)(ptr->n);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ptr->list, count_1 * sizeof(u8));
    } else {
        lvd_put(call, 0);
    }
    for (u64 index_1 = 0; index_1 < 2 && !call->slots.broken; index_1++) {
        if (ptr->children[index_1]) {
            lvd_put(call, 1);
            in_place_put_item_in(call, ctx, ptr->children[index_1]);
        } else {
            lvd_put(call, 0);
        }
    }
}

/* tests/marshalling/marshalling.idl:7: projection item */
static void in_place_put_item_in(struct lvd_call *call, struct in_place_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void in_place_put(struct lvd_call *call, struct in_place_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->h) {
        lvd_put(call, 1);
        in_place_put_holder_in(call, ctx, ctx->h);
    } else {
        lvd_put(call, 0);
    }
}

static void in_place_take(struct lvd_call *call, struct in_place_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u64)lvd_take(call);
}

u64 in_place(struct holder *h) {
    struct in_place_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->h = (struct holder *)h;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_in_place);
    in_place_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        in_place_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:56: rpc text */
static void text_put(struct lvd_call *call, struct text_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->text) {
        lvd_put(call, 1);
        u64 count_1 = lvd_length(ctx->text, sizeof(char));
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->text, count_1 * sizeof(char));
    } else {
        lvd_put(call, 0);
    }
}

static void text_take(struct lvd_call *call, struct text_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u64)lvd_take(call);
}

u64 text(const char *text) {
    struct text_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->text = (char *)text;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_text);
    text_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        text_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:57: rpc long_text */
static void long_text_put(struct lvd_call *call, struct long_text_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->text) {
        lvd_put(call, 1);
        u64 count_1 = lvd_length(ctx->text, sizeof(char));
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->text, count_1 * sizeof(char));
    } else {
        lvd_put(call, 0);
    }
}

static void long_text_take(struct lvd_call *call, struct long_text_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u64)lvd_take(call);
}

u64 long_text(const char *text) {
    struct long_text_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->text = (char *)text;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_long_text);
    long_text_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        long_text_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:58: rpc fill */
static void fill_put(struct lvd_call *call, struct fill_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->room);
    if (ctx->buffer) {
        lvd_put(call, 1);
    } else {
        lvd_put(call, 0);
    }
}

static void fill_take(struct lvd_call *call, struct fill_context *ctx) {
    (void)call, (void)ctx;
    u64 room_1 = ctx->buffer ? (u64)(ctx->room) : 0;
    ctx->ret_val = (int)lvd_take(call);
    if (ctx->buffer) {
        u64 count_1 = lvd_take_count(call, sizeof(char));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->room));
        lvd_require(call, count_1 <= room_1);
        if (call->slots.broken) {
            return;
        }
        lvd_take_bytes(call, ctx->buffer, count_1 * sizeof(char));
    }
}

int fill(char *buffer, u32 room) {
    struct fill_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->buffer = (char *)buffer;
    ctx->room = (u32)room;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_fill);
    fill_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        fill_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:59: rpc indirect */
/* tests/marshalling/marshalling.idl:7: projection item */
static void indirect_take_item_out(struct lvd_call *call, struct indirect_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void indirect_put(struct lvd_call *call, struct indirect_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->place) {
        lvd_put(call, 1);
    } else {
        lvd_put(call, 0);
    }
}

static void indirect_take(struct lvd_call *call, struct indirect_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
    if (ctx->place) {
        u64 reference_1 = lvd_take(call);
        if (reference_1) {
            struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, sizeof(struct item), 0, false);
            (*ctx->place) = (struct item *)pointer_1;
            if (pointer_1) {
                indirect_take_item_out(call, ctx, pointer_1);
            }
        } else {
            (*ctx->place) = (struct item *)NULL;
        }
    }
}

int indirect(struct item **place) {
    struct indirect_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->place = (struct item **)place;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_indirect);
    indirect_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        indirect_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:62: rpc alloc */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_put_item_in(struct lvd_call *call, struct alloc_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void alloc_put(struct lvd_call *call, struct alloc_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        alloc_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void alloc_take(struct lvd_call *call, struct alloc_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int alloc(struct item *item) {
    struct alloc_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_alloc);
    alloc_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        alloc_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:63: rpc bind */
/* tests/marshalling/marshalling.idl:7: projection item */
static void bind_put_item_in(struct lvd_call *call, struct bind_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void bind_put(struct lvd_call *call, struct bind_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        bind_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void bind_take(struct lvd_call *call, struct bind_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int bind(struct item *item) {
    struct bind_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_bind);
    bind_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        bind_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:64: rpc dealloc */
/* tests/marshalling/marshalling.idl:7: projection item */
static void dealloc_put_item_in(struct lvd_call *call, struct dealloc_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void dealloc_put(struct lvd_call *call, struct dealloc_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        dealloc_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void dealloc_take(struct lvd_call *call, struct dealloc_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int dealloc(struct item *item) {
    struct dealloc_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_dealloc);
    dealloc_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        dealloc_take(call, ctx);
        lvd_drop(call, ctx->item, LVD_TYPE_item);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:65: rpc alloc_once */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_once_put_item_in(struct lvd_call *call, struct alloc_once_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void alloc_once_put(struct lvd_call *call, struct alloc_once_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        alloc_once_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void alloc_once_take(struct lvd_call *call, struct alloc_once_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int alloc_once(struct item *item) {
    struct alloc_once_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_alloc_once);
    alloc_once_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        alloc_once_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:66: rpc alloc_size */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_size_put_item_in(struct lvd_call *call, struct alloc_size_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void alloc_size_put(struct lvd_call *call, struct alloc_size_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->extra);
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        alloc_size_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void alloc_size_take(struct lvd_call *call, struct alloc_size_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u64)lvd_take(call);
}

u64 alloc_size(struct item *item, u64 extra) {
    struct alloc_size_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    ctx->extra = (u64)extra;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_alloc_size);
    alloc_size_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        alloc_size_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u64)0;
}

/* tests/marshalling/marshalling.idl:68: rpc alloc_stack */
/* tests/marshalling/marshalling.idl:7: projection item */
static void alloc_stack_put_item_in(struct lvd_call *call, struct alloc_stack_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void alloc_stack_put(struct lvd_call *call, struct alloc_stack_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put(call, 1);
        alloc_stack_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void alloc_stack_take(struct lvd_call *call, struct alloc_stack_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int alloc_stack(struct item *item) {
    struct alloc_stack_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_alloc_stack);
    alloc_stack_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        alloc_stack_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:69: rpc alloc_bytes */
static void alloc_bytes_put(struct lvd_call *call, struct alloc_bytes_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->size);
    if (ctx->identity) {
        lvd_put_object(call, ctx->identity, LVD_TYPE_BYTES);
    } else {
        lvd_put(call, 0);
    }
}

static void alloc_bytes_take(struct lvd_call *call, struct alloc_bytes_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int alloc_bytes(void *identity, u64 size) {
    struct alloc_bytes_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->identity = (void *)identity;
    ctx->size = (u64)size;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_alloc_bytes);
    alloc_bytes_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        alloc_bytes_take(call, ctx);
        lvd_drop(call, ctx->identity, LVD_TYPE_BYTES);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:70: rpc make */
/* tests/marshalling/marshalling.idl:7: projection item */
static void make_take_item_out(struct lvd_call *call, struct make_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void make_put(struct lvd_call *call, struct make_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->value);
}

static void make_take(struct lvd_call *call, struct make_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, sizeof(struct item), 0, false);
        ctx->ret_val = (struct item *)pointer_1;
        if (pointer_1) {
            make_take_item_out(call, ctx, pointer_1);
        }
    } else {
        ctx->ret_val = (struct item *)NULL;
    }
}

struct item *make(int value) {
    struct make_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->value = (int)value;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_make);
    make_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        make_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (struct item *)NULL;
}

/* tests/marshalling/marshalling.idl:71: rpc same */
static void same_put_item_in(struct lvd_call *call, struct same_context *ctx, struct item *ptr);
static void same_take_item_out(struct lvd_call *call, struct same_context *ctx, struct item *ptr);
/* tests/marshalling/marshalling.idl:7: projection item */
static void same_put_item_in(struct lvd_call *call, struct same_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

/* tests/marshalling/marshalling.idl:7: projection item */
static void same_take_item_out(struct lvd_call *call, struct same_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void same_put(struct lvd_call *call, struct same_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        same_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void same_take(struct lvd_call *call, struct same_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_object(call, reference_1, LVD_TYPE_item, sizeof(struct item));
        ctx->ret_val = (struct item *)pointer_1;
        if (pointer_1) {
            same_take_item_out(call, ctx, pointer_1);
        }
    } else {
        ctx->ret_val = (struct item *)NULL;
    }
}

struct item *same(struct item *item) {
    struct same_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_same);
    same_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        same_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (struct item *)NULL;
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
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        change_put_item_inout(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void change_take(struct lvd_call *call, struct change_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
    if (ctx->item) {
        change_take_item_inout(call, ctx, ctx->item);
    }
}

int change(struct item *item) {
    struct change_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_change);
    change_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        change_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:73: rpc destroy */
/* tests/marshalling/marshalling.idl:7: projection item */
static void destroy_put_item_in(struct lvd_call *call, struct destroy_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void destroy_put(struct lvd_call *call, struct destroy_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->item) {
        lvd_put_object(call, ctx->item, LVD_TYPE_item);
        destroy_put_item_in(call, ctx, ctx->item);
    } else {
        lvd_put(call, 0);
    }
}

static void destroy_take(struct lvd_call *call, struct destroy_context *ctx) {
    (void)call, (void)ctx;
}

void destroy(struct item *item) {
    struct destroy_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->item = (struct item *)item;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_destroy);
    destroy_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        destroy_take(call, ctx);
        enum lvd_ending ending_0 = lvd_drop(call, ctx->item, LVD_TYPE_item);
        if (ending_0 == LVD_ENDED_SHADOW)
            lvd_free(ctx->item);
    }
    lvd_end(call, answered);
}

/* tests/marshalling/marshalling.idl:74: rpc open */
/* tests/marshalling/marshalling.idl:7: projection item */
static void open_take_item_out(struct lvd_call *call, struct open_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void open_put(struct lvd_call *call, struct open_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->error);
}

static void open_take(struct lvd_call *call, struct open_context *ctx) {
    (void)call, (void)ctx;
    u64 error_1 = lvd_take(call);
    if (error_1) {
        ctx->ret_val = (struct item *)lvd_take_error(call, error_1);
    } else {
        u64 reference_1 = lvd_take(call);
        if (reference_1) {
            struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, sizeof(struct item), 0, false);
            ctx->ret_val = (struct item *)pointer_1;
            if (pointer_1) {
                open_take_item_out(call, ctx, pointer_1);
            }
        } else {
            ctx->ret_val = (struct item *)NULL;
        }
    }
}

struct item *open(int error) {
    struct open_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->error = (int)error;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_open);
    open_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        open_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (struct item *)(void *)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:75: rpc own */
static void own_put_owner_in(struct lvd_call *call, struct own_context *ctx, struct owner *ptr);
static void own_put_work_in(struct lvd_call *call, struct own_context *ctx, struct work *ptr);
/* tests/marshalling/marshalling.idl:76: projection owner */
static void own_put_owner_in(struct lvd_call *call, struct own_context *ctx, struct owner *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->id);
    own_put_work_in(call, ctx, &ptr->work);
}

/* tests/marshalling/marshalling.idl:80: projection work */
static void own_put_work_in(struct lvd_call *call, struct own_context *ctx, struct work *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->state);
}

static void own_put(struct lvd_call *call, struct own_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->owner) {
        lvd_put_object(call, ctx->owner, LVD_TYPE_owner);
        own_put_owner_in(call, ctx, ctx->owner);
    } else {
        lvd_put(call, 0);
    }
}

static void own_take(struct lvd_call *call, struct own_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int own(struct owner *owner) {
    struct own_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->owner = (struct owner *)owner;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_own);
    own_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        own_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:84: rpc member */
static void member_put(struct lvd_call *call, struct member_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->work) {
        lvd_put_object(call, (u8 *)ctx->work - offsetof(struct owner, work), LVD_TYPE_owner);
    } else {
        lvd_put(call, 0);
    }
}

static void member_take(struct lvd_call *call, struct member_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int member(struct work *work) {
    struct member_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->work = (struct work *)work;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_member);
    member_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        member_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:89: rpc inside_is */
/* tests/marshalling/marshalling.idl:90: projection frame */
static void inside_is_put_frame_in(struct lvd_call *call, struct inside_is_context *ctx, struct frame *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put_bytes(call, ptr->bytes, 32 * sizeof(u8));
    lvd_put_within(call, ptr->cursor, ptr->bytes, (u64)(sizeof(ptr->bytes)), sizeof(u8));
    if (ptr->cursor) {
        lvd_put_bytes(call, ptr->cursor, 1 * sizeof(u8));
    }
}

static void inside_is_put(struct lvd_call *call, struct inside_is_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->frame) {
        lvd_put(call, 1);
        inside_is_put_frame_in(call, ctx, ctx->frame);
    } else {
        lvd_put(call, 0);
    }
}

static void inside_is_take(struct lvd_call *call, struct inside_is_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int inside_is(struct frame *frame) {
    struct inside_is_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->frame = (struct frame *)frame;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_inside_is);
    inside_is_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        inside_is_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:95: rpc ring */
/* tests/marshalling/marshalling.idl:96: projection node */
static void ring_put_node_in(struct lvd_call *call, struct ring_context *ctx, struct node *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
    if (ptr->next) {
        lvd_put_object(call, ptr->next, LVD_TYPE_node);
        if (lvd_enter(call, ptr->next)) {
            ring_put_node_in(call, ctx, ptr->next);
            lvd_leave(call);
        }
    } else {
        lvd_put(call, 0);
    }
}

static void ring_put(struct lvd_call *call, struct ring_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->node) {
        lvd_put_object(call, ctx->node, LVD_TYPE_node);
        if (lvd_enter(call, ctx->node)) {
            ring_put_node_in(call, ctx, ctx->node);
            lvd_leave(call);
        }
    } else {
        lvd_put(call, 0);
    }
}

static void ring_take(struct lvd_call *call, struct ring_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int ring(struct node *node) {
    struct ring_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->node = (struct node *)node;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_ring);
    ring_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        ring_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:103: rpc shared */
static void shared_put(struct lvd_call *call, struct shared_context *ctx) {
    (void)call, (void)ctx;
    lvd_put_shared(call, ctx->data, MARSHALLING_REGION_payload, 16 * sizeof(u8));
}

static void shared_take(struct lvd_call *call, struct shared_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int shared(u8 *data) {
    struct shared_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->data = (u8 *)data;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_shared);
    shared_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        shared_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:104: rpc window */
static void window_put(struct lvd_call *call, struct window_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->offset);
}

static void window_take(struct lvd_call *call, struct window_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (u32 *)lvd_take_window(call);
}

u32 *window(u64 offset) {
    struct window_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->offset = (u64)offset;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_window);
    window_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        window_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (u32 *)NULL;
}

/* tests/marshalling/marshalling.idl:105: rpc_ptr read */
static void read_put(struct lvd_call *call, struct read_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->buffer) {
        u64 count_1 = (u64)(ctx->count);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->buffer, count_1 * sizeof(char));
    }
}

static void read_take(struct lvd_call *call, struct read_context *ctx) {
    (void)call, (void)ctx;
    ctx->count = (unsigned long)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = call->slots.broken ? 0 : (u64)(ctx->count);
        lvd_require(call, count_1 <= LVD_MOST_BYTES);
        char *pointer_1 = lvd_scratch(call, count_1 * sizeof(char));
        ctx->buffer = (char *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
        }
    } else {
        ctx->buffer = (char *)NULL;
    }
}

static bool read_handle(struct lvd_call *call, struct lvd_message *message) {
    struct read_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    read_take(call, ctx);
    read_function *function = target ? (read_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (long)function(ctx->buffer, ctx->count);
    lvd_reply(call);
    read_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:106: rpc_ptr write */
static void write_put(struct lvd_call *call, struct write_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void write_take(struct lvd_call *call, struct write_context *ctx) {
    (void)call, (void)ctx;
    ctx->count = (unsigned long)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = lvd_take_count(call, sizeof(char));
        lvd_require(call, !call->slots.broken && count_1 == (u64)(ctx->count));
        char *pointer_1 = lvd_scratch(call, count_1 * sizeof(char));
        ctx->buffer = (char *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            if (call->slots.broken) {
                return;
            }
            lvd_take_bytes(call, pointer_1, count_1 * sizeof(char));
        }
    } else {
        ctx->buffer = (char *)NULL;
    }
}

static bool write_handle(struct lvd_call *call, struct lvd_message *message) {
    struct write_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    write_take(call, ctx);
    write_function *function = target ? (write_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (long)function(ctx->buffer, ctx->count);
    lvd_reply(call);
    write_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:109: rpc register_handler */
static void register_handler_put(struct lvd_call *call, struct register_handler_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->f);
    lvd_put(call, (u64)ctx->cookie);
}

static void register_handler_take(struct lvd_call *call, struct register_handler_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int register_handler(handler_function *f, void *cookie) {
    struct register_handler_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->f = (handler_function *)f;
    ctx->cookie = (void *)cookie;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_register_handler);
    register_handler_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        register_handler_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:110: rpc call_handler */
static void call_handler_put(struct lvd_call *call, struct call_handler_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
}

static void call_handler_take(struct lvd_call *call, struct call_handler_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int call_handler(int n) {
    struct call_handler_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->n = (int)n;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_call_handler);
    call_handler_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        call_handler_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:111: rpc register_operations */
/* tests/marshalling/marshalling.idl:112: projection operations */
static void register_operations_put_operations_in(struct lvd_call *call, struct register_operations_context *ctx,
    struct operations *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_require(call, !ptr->early || (void *)ptr->early == (void *)early);
    lvd_put(call, ptr->early != NULL);
    lvd_put(call, (u64)ptr->late);
    lvd_require(call, !ptr->own || (void *)ptr->own == (void *)helper);
    lvd_put(call, ptr->own != NULL);
}

static void register_operations_put(struct lvd_call *call, struct register_operations_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->ops) {
        lvd_put_object(call, ctx->ops, LVD_TYPE_operations);
        register_operations_put_operations_in(call, ctx, ctx->ops);
    } else {
        lvd_put(call, 0);
    }
}

static void register_operations_take(struct lvd_call *call, struct register_operations_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int register_operations(struct operations *ops) {
    struct register_operations_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->ops = (struct operations *)ops;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_register_operations);
    register_operations_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        register_operations_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:118: rpc_ptr early */
static void early_put(struct lvd_call *call, struct early_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void early_take(struct lvd_call *call, struct early_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
}

static bool early_handle(struct lvd_call *call, struct lvd_message *message) {
    struct early_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    early_take(call, ctx);
    early_function *function = target ? (early_function *)target : early;
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)function(ctx->n);
    lvd_reply(call);
    early_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:119: rpc helper */
static void helper_put(struct lvd_call *call, struct helper_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
}

static void helper_take(struct lvd_call *call, struct helper_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int helper(int n) {
    struct helper_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->n = (int)n;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_helper);
    helper_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        helper_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:120: rpc call_operations */
static void call_operations_put(struct lvd_call *call, struct call_operations_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->n);
}

static void call_operations_take(struct lvd_call *call, struct call_operations_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int call_operations(int n) {
    struct call_operations_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->n = (int)n;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_call_operations);
    call_operations_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        call_operations_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:121: rpc_export export */
static void export_put(struct lvd_call *call, struct export_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
}

static void export_take(struct lvd_call *call, struct export_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
}

static bool export_handle(struct lvd_call *call, struct lvd_message *message) {
    struct export_context context = {}, *ctx = &context;
    export_take(call, ctx);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)export(ctx->n);
    lvd_reply(call);
    export_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:122: rpc_ptr fetch */
static void fetch_put(struct lvd_call *call, struct fetch_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->buffer) {
        u64 count_1 = (u64)(ctx->n);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->buffer, count_1 * sizeof(u8));
    }
}

static void fetch_take(struct lvd_call *call, struct fetch_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (u32)lvd_take(call);
    if (lvd_take(call)) {
        u64 count_1 = call->slots.broken ? 0 : (u64)(ctx->n);
        lvd_require(call, count_1 <= LVD_MOST_BYTES);
        u8 *pointer_1 = lvd_scratch(call, count_1 * sizeof(u8));
        ctx->buffer = (u8 *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
        }
    } else {
        ctx->buffer = (u8 *)NULL;
    }
}

static bool fetch_handle(struct lvd_call *call, struct lvd_message *message) {
    struct fetch_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    fetch_take(call, ctx);
    fetch_function *function = target ? (fetch_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (u64)function(ctx->buffer, ctx->n);
    lvd_reply(call);
    fetch_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:123: rpc_ptr lookup */
/* tests/marshalling/marshalling.idl:7: projection item */
static void lookup_put_item_out(struct lvd_call *call, struct lookup_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->value);
}

static void lookup_put(struct lvd_call *call, struct lookup_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->ret_val) {
        lvd_put_object(call, ctx->ret_val, LVD_TYPE_item);
        lookup_put_item_out(call, ctx, ctx->ret_val);
    } else {
        lvd_put(call, 0);
    }
}

static void lookup_take(struct lvd_call *call, struct lookup_context *ctx) {
    (void)call, (void)ctx;
    ctx->n = (int)lvd_take(call);
}

static bool lookup_handle(struct lvd_call *call, struct lvd_message *message) {
    struct lookup_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    lookup_take(call, ctx);
    lookup_function *function = target ? (lookup_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (struct item *)function(ctx->n);
    lvd_reply(call);
    lookup_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:124: rpc_ptr title */
static void title_put(struct lvd_call *call, struct title_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->ret_val) {
        lvd_put(call, 1);
        u64 count_1 = lvd_length(ctx->ret_val, sizeof(char));
        lvd_put(call, count_1);
        lvd_put_bytes(call, ctx->ret_val, count_1 * sizeof(char));
    } else {
        lvd_put(call, 0);
    }
}

static void title_take(struct lvd_call *call, struct title_context *ctx) {
    (void)call, (void)ctx;
}

static bool title_handle(struct lvd_call *call, struct lvd_message *message) {
    struct title_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    title_take(call, ctx);
    title_function *function = target ? (title_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (char *)function();
    lvd_reply(call);
    title_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:125: rpc_ptr describe */
static void describe_put_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr);
static void describe_take_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr);
/* tests/marshalling/marshalling.idl:126: projection box */
static void describe_put_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->sum);
    if (ptr->bytes) {
        lvd_put(call, 1);
        u64 count_1 = (u64)(ptr->n);
        lvd_put(call, count_1);
        lvd_put_bytes(call, ptr->bytes, count_1 * sizeof(u8));
    } else {
        lvd_put(call, 0);
    }
    if (ptr->more) {
        lvd_put(call, 1);
        u64 count_2 = (u64)(ptr->n);
        lvd_put(call, count_2);
        lvd_put_bytes(call, ptr->more, count_2 * sizeof(u8));
    } else {
        lvd_put(call, 0);
    }
}

/* tests/marshalling/marshalling.idl:126: projection box */
static void describe_take_box_inout(struct lvd_call *call, struct describe_context *ctx, struct box *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->n = (u32)lvd_take(call);
}

static void describe_put(struct lvd_call *call, struct describe_context *ctx) {
    (void)call, (void)ctx;
    lvd_put(call, (u64)ctx->ret_val);
    if (ctx->box) {
        describe_put_box_inout(call, ctx, ctx->box);
    }
}

static void describe_take(struct lvd_call *call, struct describe_context *ctx) {
    (void)call, (void)ctx;
    if (lvd_take(call)) {
        struct box *pointer_1 = lvd_scratch(call, sizeof(struct box));
        ctx->box = (struct box *)pointer_1;
        if (pointer_1 && !call->slots.broken) {
            describe_take_box_inout(call, ctx, pointer_1);
        }
    } else {
        ctx->box = (struct box *)NULL;
    }
}

static bool describe_handle(struct lvd_call *call, struct lvd_message *message) {
    struct describe_context context = {}, *ctx = &context;
    u64 target = lvd_take(call);
    describe_take(call, ctx);
    describe_function *function = target ? (describe_function *)target : NULL;
    lvd_require(call, target != 0);
    if (call->slots.broken) {
        return lvd_finish(call, message);
    }
    ctx->ret_val = (int)function(ctx->box);
    lvd_reply(call);
    describe_put(call, ctx);
    return lvd_finish(call, message);
}

/* tests/marshalling/marshalling.idl:141: rpc track */
/* tests/marshalling/marshalling.idl:135: projection counter */
static void track_put_counter_in(struct lvd_call *call, struct track_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->hits);
    lvd_put(call, (u64)ptr->misses);
}

static void track_put(struct lvd_call *call, struct track_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->c) {
        lvd_put_object(call, ctx->c, LVD_TYPE_counter);
        track_put_counter_in(call, ctx, ctx->c);
    } else {
        lvd_put(call, 0);
    }
}

static void track_take(struct lvd_call *call, struct track_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int track(struct counter *c) {
    struct track_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->c = (struct counter *)c;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_track);
    track_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        track_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:142: rpc tracked */
/* tests/marshalling/marshalling.idl:135: projection counter */
static void tracked_put_counter_in(struct lvd_call *call, struct tracked_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->hits);
    lvd_put(call, (u64)ptr->misses);
}

static void tracked_put(struct lvd_call *call, struct tracked_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->c) {
        lvd_put_object(call, ctx->c, LVD_TYPE_counter);
        tracked_put_counter_in(call, ctx, ctx->c);
    } else {
        lvd_put(call, 0);
    }
}

static void tracked_take(struct lvd_call *call, struct tracked_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int tracked(struct counter *c) {
    struct tracked_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->c = (struct counter *)c;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_tracked);
    tracked_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        tracked_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:139: marshalling_lock_counter_guard */
/* tests/marshalling/marshalling.idl:139: projection counter_guard */
static void marshalling_lock_counter_guard_take_counter_guard_out(struct lvd_call *call,
    struct marshalling_lock_counter_guard_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->hits = (int)lvd_take(call);
    ptr->misses = (int)lvd_take(call);
}

static void marshalling_lock_counter_guard_put(struct lvd_call *call,
    struct marshalling_lock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->object) {
        lvd_put_object(call, ctx->object, LVD_TYPE_counter);
    } else {
        lvd_put(call, 0);
    }
}

static void marshalling_lock_counter_guard_take(struct lvd_call *call,
    struct marshalling_lock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->object) {
        marshalling_lock_counter_guard_take_counter_guard_out(call, ctx, ctx->object);
    }
}

void marshalling_lock_counter_guard(struct counter *object) {
    struct marshalling_lock_counter_guard_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->object = (struct counter *)object;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_marshalling_lock_counter_guard);
    marshalling_lock_counter_guard_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        marshalling_lock_counter_guard_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* tests/marshalling/marshalling.idl:139: marshalling_unlock_counter_guard */
/* tests/marshalling/marshalling.idl:139: projection counter_guard */
static void marshalling_unlock_counter_guard_put_counter_guard_in(struct lvd_call *call,
    struct marshalling_unlock_counter_guard_context *ctx, struct counter *ptr) {
    (void)call, (void)ctx, (void)ptr;
    lvd_put(call, (u64)ptr->hits);
    lvd_put(call, (u64)ptr->misses);
}

static void marshalling_unlock_counter_guard_put(struct lvd_call *call,
    struct marshalling_unlock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
    if (ctx->object) {
        lvd_put_object(call, ctx->object, LVD_TYPE_counter);
        marshalling_unlock_counter_guard_put_counter_guard_in(call, ctx, ctx->object);
    } else {
        lvd_put(call, 0);
    }
}

static void marshalling_unlock_counter_guard_take(struct lvd_call *call,
    struct marshalling_unlock_counter_guard_context *ctx) {
    (void)call, (void)ctx;
}

void marshalling_unlock_counter_guard(struct counter *object) {
    struct marshalling_unlock_counter_guard_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    ctx->object = (struct counter *)object;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_marshalling_unlock_counter_guard);
    marshalling_unlock_counter_guard_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        marshalling_unlock_counter_guard_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* tests/marshalling/marshalling.idl:3: marshalling_lock_table */
static void marshalling_lock_table_put(struct lvd_call *call, struct marshalling_lock_table_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_lock_table_take(struct lvd_call *call, struct marshalling_lock_table_context *ctx) {
    (void)call, (void)ctx;
}

void marshalling_lock_table(void) {
    struct marshalling_lock_table_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_marshalling_lock_table);
    marshalling_lock_table_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        marshalling_lock_table_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* tests/marshalling/marshalling.idl:3: marshalling_unlock_table */
static void marshalling_unlock_table_put(struct lvd_call *call, struct marshalling_unlock_table_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_unlock_table_take(struct lvd_call *call, struct marshalling_unlock_table_context *ctx) {
    (void)call, (void)ctx;
}

void marshalling_unlock_table(void) {
    struct marshalling_unlock_table_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_marshalling_unlock_table);
    marshalling_unlock_table_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        marshalling_unlock_table_take(call, ctx);
    }
    lvd_end(call, answered);
}

/* tests/marshalling/marshalling.idl:4: marshalling_read_ticks */
static void marshalling_read_ticks_put(struct lvd_call *call, struct marshalling_read_ticks_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_read_ticks_take(struct lvd_call *call, struct marshalling_read_ticks_context *ctx) {
    (void)call, (void)ctx;
    ctx->ret_val = (int)lvd_take(call);
}

int marshalling_read_ticks(void) {
    struct marshalling_read_ticks_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_marshalling_read_ticks);
    marshalling_read_ticks_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        marshalling_read_ticks_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (int)-LVD_GLUE_EFAULT;
}

/* tests/marshalling/marshalling.idl:5: marshalling_read_first_item */
/* tests/marshalling/marshalling.idl:7: projection item */
static void marshalling_read_first_item_take_item_out(struct lvd_call *call,
    struct marshalling_read_first_item_context *ctx, struct item *ptr) {
    (void)call, (void)ctx, (void)ptr;
    ptr->value = (int)lvd_take(call);
}

static void marshalling_read_first_item_put(struct lvd_call *call, struct marshalling_read_first_item_context *ctx) {
    (void)call, (void)ctx;
}

static void marshalling_read_first_item_take(struct lvd_call *call, struct marshalling_read_first_item_context *ctx) {
    (void)call, (void)ctx;
    u64 reference_1 = lvd_take(call);
    if (reference_1) {
        struct item *pointer_1 = lvd_take_shadow(call, reference_1, LVD_TYPE_item, sizeof(struct item), 0, true);
        ctx->ret_val = (struct item *)pointer_1;
        if (pointer_1) {
            marshalling_read_first_item_take_item_out(call, ctx, pointer_1);
        }
    } else {
        ctx->ret_val = (struct item *)NULL;
    }
}

struct item *marshalling_read_first_item(void) {
    struct marshalling_read_first_item_context context = {}, *ctx = &context;
    struct lvd_call request, *call = &request;
    bool answered;
    lvd_begin(call, NULL, MARSHALLING_IN_KERNEL_marshalling_read_first_item);
    marshalling_read_first_item_put(call, ctx);
    answered = lvd_exchange(call);
    if (answered) {
        marshalling_read_first_item_take(call, ctx);
    }
    return lvd_end(call, answered) ? ctx->ret_val : (struct item *)NULL;
}

bool marshalling_domain_dispatch(struct lvd_peer *peer, struct lvd_message *message) {
    struct lvd_call call;
    lvd_receive(&call, peer, message);
    switch (call.rpc) {
    case MARSHALLING_IN_DOMAIN_handler: return handler_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_read: return read_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_write: return write_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_early: return early_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_export: return export_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_fetch: return fetch_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_lookup: return lookup_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_title: return title_handle(&call, message);
    case MARSHALLING_IN_DOMAIN_describe: return describe_handle(&call, message);
    default: return false;
    }
}

void marshalling_read_globals(void) {
    ticks = marshalling_read_ticks();
    first_item = marshalling_read_first_item();
}
