/* What the driver calls: each function sees whether its arguments are what the driver gave (domain.c), and answers. */
#include "tests.h"

u32 last_flags, user_copies, wrong;
int ticks = 4711;
static struct item real_item = { 42 };
struct item *first_item = &real_item;

long integers(char a, unsigned char b, short c, unsigned short d, int e, unsigned int f, long g, unsigned long h, bool i, s8 j, u16 k,
              u64 l) {
    EXPECT(a == -3 && b == 200 && c == -30000 && d == 60000 && e == -2000000000 && f == 4000000000u);
    EXPECT(g == -5000000000 && h == 0x8000000000000001 && i == true && j == -128 && k == 65535 && l == ~0ULL);
    return -77;
}
int directions(struct directed *d) {
    EXPECT(d->in_only == 1 && d->out_only == 0 && d->both == 3 && d->neither == 0);
    *d = (struct directed){ 10, 20, 30, 40 };
    return 0;
}
int bits(struct bits *b) { return EXPECT(b->a == 5 && b->b == 8000); }
int bounded(u32 index) { return (int)index; }
void *opaque(void *cookie) { return (u8 *)cookie + 1; }
int casted(unsigned long word) { return ((struct item *)word)->value; }
int unions(struct shape *s) { return s->kind == 1 ? (int)s->body.word : s->body.bytes[11]; }

u64 fixed(u32 *values) { return values[0] + 10 * values[1] + 100 * values[2] + 1000 * values[3]; }
u64 dynamic(u16 *values, u32 n) {
    u64 sum = 0;
    for (u32 i = 0; i < n; i++) {
        sum += values[i];
        values[i] = (u16)(values[i] * 2);
    }
    return sum;
}
u64 terminated(u64 *values) {
    u64 n = 0;
    while (values[n])
        n++;
    return n;
}
u64 in_place(struct holder *h) {
    EXPECT(h->name[4] == 'e' && h->matrix[2][1] == 6 && h->n == 3 && h->list[2] == 9);
    EXPECT(h->children[0] && h->children[0]->value == 11 && !h->children[1]);
    return 1;
}
u64 text(const char *text) {
    u64 n = 0;
    while (text[n])
        n++;
    return n;
}
u64 long_text(const char *t) { return text(t); }
int fill(char *buffer, u32 room) {
    for (u32 i = 0; i < room; i++)
        buffer[i] = (char)('a' + i);
    return (int)room;
}
int indirect(struct item **place) {
    *place = &real_item;
    return 0;
}

static struct item *kept;
int alloc(struct item *item) {
    kept = item;
    return item->value;
}
int bind(struct item *item) { return EXPECT(item == kept), item->value; }
int dealloc(struct item *item) {
    u64 reference = lvd_objects_of(&inside->objects, item, LVD_TYPE_item) != NULL;
    return EXPECT(item == kept && !reference), item->value; /* the reference has ended, the memory has not */
}
int alloc_once(struct item *item) {
    if (kept == item)
        return 1;
    kept = item;
    return 0;
}
u64 alloc_size(struct item *item, u64 extra) {
    struct lvd_object_entry *entry = lvd_objects_of(&inside->objects, item, LVD_TYPE_item);
    EXPECT(last_flags == (GFP_KERNEL | __GFP_ZERO) && extra == 60);
    return entry ? entry->bytes : 0;
}
int alloc_stack(struct item *item) { return EXPECT(!lvd_objects_of(&inside->objects, item, LVD_TYPE_item)), item->value; }
int alloc_bytes(void *identity, u64 size) { return identity && size == 24; }

static struct item made[4];
static u32 made_count;
struct item *make(int value) {
    made[made_count].value = value;
    return &made[made_count++];
}
struct item *same(struct item *item) { return item; }
int change(struct item *item) { return item->value++; }
void destroy(struct item *item) { EXPECT(item == &made[0] && !lvd_objects_of(&inside->objects, item, LVD_TYPE_item)); }
struct item *open(int error) { return error ? (struct item *)(s64)-error : make(5); }
static struct owner *owned;
int own(struct owner *owner) {
    owned = owner;
    return owner->id;
}
int member(struct work *work) { return EXPECT(work == &owned->work), owned->id; }
int inside_is(struct frame *frame) { return (int)(frame->cursor - frame->bytes); }
int ring(struct node *node) {
    int sum = 0, n = 0;
    struct node *at = node;
    do
        sum = sum * 10 + at->value, at = at->next;
    while (at && at != node && ++n < 8);
    return at == node ? sum : -1;
}

int shared(u8 *data) { return (int)(data - payload) + (data[0] << 8); }
u32 *window(u64 offset) { return offset < 16 ? &device[offset] : NULL; }

static handler_function *handler_given;
int register_handler(handler_function *f, void *cookie) {
    EXPECT(!handler_given || f == handler_given || (u64)cookie == 2); /* the same function, the same trampoline */
    handler_given = f;
    return f != NULL;
}
int call_handler(int n) { return handler_given((void *)0x1234, n); }
static struct operations *operations;
int register_operations(struct operations *ops) {
    operations = ops;
    return EXPECT(ops->own == helper), 0;
}
int helper(int n) { return n + 1; }
int call_operations(int n) { return operations->early(n) * 1000 + operations->late((void *)1, n); }

int track(struct counter *c) {
    kept = (void *)c;
    return c->hits;
}
int tracked(struct counter *c) {
    EXPECT((void *)c == kept && c->hits == 101);
    c->misses = 7;
    return c->misses;
}
