/*
 * Interface "marshalling" of tests/marshalling/marshalling.idl: what both sides know.
 * Made by `lvdsim idl generate`; change the interface, not this.
 */
#ifndef GLUE_MARSHALLING_H
#define GLUE_MARSHALLING_H
#include <lvd/glue.h>

/* Executed in the kernel. */
#define MARSHALLING_IN_KERNEL_LIST(X) X(integers) X(directions) X(bits) X(bounded) X(opaque) X(casted) X(unions) \
    X(fixed) X(dynamic) X(terminated) X(in_place) X(text) X(long_text) X(fill) X(indirect) X(alloc) X(bind) \
    X(dealloc) X(alloc_once) X(alloc_size) X(alloc_stack) X(alloc_bytes) X(make) X(same) X(change) X(destroy) \
    X(open) X(own) X(member) X(inside_is) X(ring) X(shared) X(window) X(register_handler) X(call_handler) \
    X(register_operations) X(helper) X(call_operations) X(track) X(tracked) X(marshalling_lock_counter_guard) \
    X(marshalling_unlock_counter_guard) X(marshalling_lock_table) X(marshalling_unlock_table) \
    X(marshalling_read_ticks) X(marshalling_read_first_item)
#define X(name) MARSHALLING_IN_KERNEL_##name,
enum { MARSHALLING_IN_KERNEL_BEFORE = 0 - 1, MARSHALLING_IN_KERNEL_LIST(X) MARSHALLING_IN_KERNEL_END };
#undef X

/* Executed in the domain. */
#define MARSHALLING_IN_DOMAIN_LIST(X) X(handler) X(read) X(write) X(early) X(export) X(fetch) X(lookup) X(title) \
    X(describe)
#define X(name) MARSHALLING_IN_DOMAIN_##name,
enum { MARSHALLING_IN_DOMAIN_BEFORE = 0 - 1, MARSHALLING_IN_DOMAIN_LIST(X) MARSHALLING_IN_DOMAIN_END };
#undef X

#define MARSHALLING_LOCK_table 0u /* tests/marshalling/marshalling.idl:3 */
#define MARSHALLING_LOCK_counter_guard 1u /* tests/marshalling/marshalling.idl:138 */
#define MARSHALLING_REGION_payload 0u
#define LVD_TYPE_item 0x9f3833e6u
#define LVD_TYPE_counter 0x9cacde23u
#define LVD_TYPE_directed 0x1211234du
#define LVD_TYPE_bits 0xa2622f79u
#define LVD_TYPE_shape 0x9dc3d926u
#define LVD_TYPE_body 0xdbaa7975u
#define LVD_TYPE_holder 0xd5411c8fu
#define LVD_TYPE_owner 0xf5674cd4u
#define LVD_TYPE_work 0x5b98d260u
#define LVD_TYPE_frame 0xd20a71a6u
#define LVD_TYPE_node 0xb1c14e0du
#define LVD_TYPE_operations 0x8065cb2fu
#define LVD_TYPE_box 0x70c67e32u

struct item;
struct counter;
struct directed;
struct bits;
struct shape;
union body;
struct holder;
struct owner;
struct work;
struct frame;
struct node;
struct operations;
struct box;

typedef int handler_function(void *cookie, int n);
typedef long integers_function(char a, unsigned char b, short c, unsigned short d, int e, unsigned int f, long g,
    unsigned long h, bool i, s8 j, u16 k, u64 l);
typedef int directions_function(struct directed *d);
typedef int bits_function(struct bits *b);
typedef int bounded_function(u32 index);
typedef void *opaque_function(void *cookie);
typedef int casted_function(unsigned long word);
typedef int unions_function(struct shape *s);
typedef u64 fixed_function(u32 *values);
typedef u64 dynamic_function(u16 *values, u32 n);
typedef u64 terminated_function(u64 *values);
typedef u64 in_place_function(struct holder *h);
typedef u64 text_function(const char *text);
typedef u64 long_text_function(const char *text);
typedef int fill_function(char *buffer, u32 room);
typedef int indirect_function(struct item **place);
typedef int alloc_function(struct item *item);
typedef int bind_function(struct item *item);
typedef int dealloc_function(struct item *item);
typedef int alloc_once_function(struct item *item);
typedef u64 alloc_size_function(struct item *item, u64 extra);
typedef int alloc_stack_function(struct item *item);
typedef int alloc_bytes_function(void *identity, u64 size);
typedef struct item *make_function(int value);
typedef struct item *same_function(struct item *item);
typedef int change_function(struct item *item);
typedef void destroy_function(struct item *item);
typedef struct item *open_function(int error);
typedef int own_function(struct owner *owner);
typedef int member_function(struct work *work);
typedef int inside_is_function(struct frame *frame);
typedef int ring_function(struct node *node);
typedef int shared_function(u8 *data);
typedef u32 *window_function(u64 offset);
typedef long read_function(char *buffer, unsigned long count);
typedef long write_function(const char *buffer, unsigned long count);
typedef int register_handler_function(handler_function *f, void *cookie);
typedef int call_handler_function(int n);
typedef int register_operations_function(struct operations *ops);
typedef int early_function(int n);
typedef int helper_function(int n);
typedef int call_operations_function(int n);
typedef int export_function(int n);
typedef u64 fetch_function(u8 *buffer, u32 n);
typedef struct item *lookup_function(int n);
typedef char *title_function(void);
typedef int describe_function(struct box *box);
typedef int track_function(struct counter *c);
typedef int tracked_function(struct counter *c);

struct item {
    int value;
};

struct counter {
    int hits;
    int misses;
};

struct directed {
    int in_only;
    int out_only;
    int both;
    int neither;
};

struct bits {
    unsigned int a : 3;
    unsigned int b : 13;
};

union body {
    u32 word;
    u8 bytes[12];
};

struct shape {
    int kind;
    union body body;
};

struct holder {
    u8 name[5];
    u16 matrix[3][2];
    u32 n;
    u8 *list;
    struct item *children[2];
};

struct work {
    int state;
};

struct owner {
    int id;
    struct work work;
};

struct frame {
    u8 bytes[32];
    u8 *cursor;
};

struct node {
    int value;
    struct node *next;
};

struct operations {
    early_function *early;
    handler_function *late;
    helper_function *own;
};

struct box {
    u32 n;
    u8 *bytes;
    u8 *more;
    int sum;
};

struct handler_context {
    void *cookie;
    int n;
    int ret_val;
};
struct integers_context {
    char a;
    unsigned char b;
    short c;
    unsigned short d;
    int e;
    unsigned int f;
    long g;
    unsigned long h;
    bool i;
    s8 j;
    u16 k;
    u64 l;
    long ret_val;
};
struct directions_context {
    struct directed *d;
    int ret_val;
};
struct bits_context {
    struct bits *b;
    int ret_val;
};
struct bounded_context {
    u32 index;
    int ret_val;
};
struct opaque_context {
    void *cookie;
    void *ret_val;
};
struct casted_context {
    unsigned long word;
    int ret_val;
};
struct unions_context {
    struct shape *s;
    int ret_val;
};
struct fixed_context {
    u32 *values;
    u64 ret_val;
};
struct dynamic_context {
    u16 *values;
    u32 n;
    u64 ret_val;
};
struct terminated_context {
    u64 *values;
    u64 ret_val;
};
struct in_place_context {
    struct holder *h;
    u64 ret_val;
};
struct text_context {
    char *text;
    u64 ret_val;
};
struct long_text_context {
    char *text;
    u64 ret_val;
};
struct fill_context {
    char *buffer;
    u32 room;
    int ret_val;
};
struct indirect_context {
    struct item **place;
    int ret_val;
};
struct alloc_context {
    struct item *item;
    int ret_val;
};
struct bind_context {
    struct item *item;
    int ret_val;
};
struct dealloc_context {
    struct item *item;
    int ret_val;
};
struct alloc_once_context {
    struct item *item;
    int ret_val;
};
struct alloc_size_context {
    struct item *item;
    u64 extra;
    u64 ret_val;
};
struct alloc_stack_context {
    struct item *item;
    int ret_val;
};
struct alloc_bytes_context {
    void *identity;
    u64 size;
    int ret_val;
};
struct make_context {
    int value;
    struct item *ret_val;
};
struct same_context {
    struct item *item;
    struct item *ret_val;
};
struct change_context {
    struct item *item;
    int ret_val;
};
struct destroy_context {
    struct item *item;
};
struct open_context {
    int error;
    struct item *ret_val;
};
struct own_context {
    struct owner *owner;
    int ret_val;
};
struct member_context {
    struct work *work;
    int ret_val;
};
struct inside_is_context {
    struct frame *frame;
    int ret_val;
};
struct ring_context {
    struct node *node;
    int ret_val;
};
struct shared_context {
    u8 *data;
    int ret_val;
};
struct window_context {
    u64 offset;
    u32 *ret_val;
};
struct read_context {
    char *buffer;
    unsigned long count;
    long ret_val;
};
struct write_context {
    char *buffer;
    unsigned long count;
    long ret_val;
};
struct register_handler_context {
    handler_function *f;
    void *cookie;
    int ret_val;
};
struct call_handler_context {
    int n;
    int ret_val;
};
struct register_operations_context {
    struct operations *ops;
    int ret_val;
};
struct early_context {
    int n;
    int ret_val;
};
struct helper_context {
    int n;
    int ret_val;
};
struct call_operations_context {
    int n;
    int ret_val;
};
struct export_context {
    int n;
    int ret_val;
};
struct fetch_context {
    u8 *buffer;
    u32 n;
    u64 ret_val;
};
struct lookup_context {
    int n;
    struct item *ret_val;
};
struct title_context {
    char *ret_val;
};
struct describe_context {
    struct box *box;
    int ret_val;
};
struct track_context {
    struct counter *c;
    int ret_val;
};
struct tracked_context {
    struct counter *c;
    int ret_val;
};
struct marshalling_lock_counter_guard_context {
    struct counter *object;
};
struct marshalling_unlock_counter_guard_context {
    struct counter *object;
};
struct marshalling_lock_table_context {
    u8 nothing;
};
struct marshalling_unlock_table_context {
    u8 nothing;
};
struct marshalling_read_ticks_context {
    int ret_val;
};
struct marshalling_read_first_item_context {
    struct item *ret_val;
};

/* What the driver calls and the kernel has, or the kernel calls and the driver has. */
long integers(char a, unsigned char b, short c, unsigned short d, int e, unsigned int f, long g, unsigned long h,
    bool i, s8 j, u16 k, u64 l);
int directions(struct directed *d);
int bits(struct bits *b);
int bounded(u32 index);
void *opaque(void *cookie);
int casted(unsigned long word);
int unions(struct shape *s);
u64 fixed(u32 *values);
u64 dynamic(u16 *values, u32 n);
u64 terminated(u64 *values);
u64 in_place(struct holder *h);
u64 text(const char *text);
u64 long_text(const char *text);
int fill(char *buffer, u32 room);
int indirect(struct item **place);
int alloc(struct item *item);
int bind(struct item *item);
int dealloc(struct item *item);
int alloc_once(struct item *item);
u64 alloc_size(struct item *item, u64 extra);
int alloc_stack(struct item *item);
int alloc_bytes(void *identity, u64 size);
struct item *make(int value);
struct item *same(struct item *item);
int change(struct item *item);
void destroy(struct item *item);
struct item *open(int error);
int own(struct owner *owner);
int member(struct work *work);
int inside_is(struct frame *frame);
int ring(struct node *node);
int shared(u8 *data);
u32 *window(u64 offset);
int register_handler(handler_function *f, void *cookie);
int call_handler(int n);
int register_operations(struct operations *ops);
int early(int n);
int helper(int n);
int call_operations(int n);
int export(int n);
int track(struct counter *c);
int tracked(struct counter *c);
void marshalling_lock_counter_guard(struct counter *object);
void marshalling_unlock_counter_guard(struct counter *object);
void marshalling_lock_table(void);
void marshalling_unlock_table(void);
int marshalling_read_ticks(void);
struct item *marshalling_read_first_item(void);
extern int ticks;
extern struct item *first_item;

/* Calls into a domain. `target`: the address that the domain gave; the kernel only hands it back. */
int handler_call(struct lvd_peer *peer, u64 target, void *cookie, int n);
long read_call(struct lvd_peer *peer, u64 target, char *buffer, unsigned long count);
long write_call(struct lvd_peer *peer, u64 target, const char *buffer, unsigned long count);
int early_call(struct lvd_peer *peer, u64 target, int n);
int export_call(struct lvd_peer *peer, int n);
u64 fetch_call(struct lvd_peer *peer, u64 target, u8 *buffer, u32 n);
struct item *lookup_call(struct lvd_peer *peer, u64 target, int n);
char *title_call(struct lvd_peer *peer, u64 target);
int describe_call(struct lvd_peer *peer, u64 target, struct box *box);
extern struct lvd_peer *marshalling_peer; /* whom functions without a target are called in */

/* One request: the reply replaces the message. False: no honest peer sends it. */
bool marshalling_kernel_dispatch(struct lvd_peer *peer, struct lvd_message *message);
bool marshalling_domain_dispatch(struct lvd_peer *peer, struct lvd_message *message);
void marshalling_kernel_forget(struct lvd_peer *peer); /* its functions are called no more */
void marshalling_read_globals(void); /* into the domain's copies */
#endif
