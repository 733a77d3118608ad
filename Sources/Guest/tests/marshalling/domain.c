/* The driver's half of marshalling.flat: every symbol here and in its glue has the prefix domain_ in the image. */
#include "environment.h"

void judge(const char *name, bool good);
u32 kernel_blocks(void);

static int handled;
static int on_event(void *cookie, int n) {
    handled++;
    return (u64)cookie == 0x1234 ? n * 2 : n * 3;
}
int early(int n) { return n + 5; }
int export(int n) { return n * n; }

long read(char *buffer, unsigned long count) {
    for (unsigned long i = 0; i < count; i++)
        buffer[i] = (char)('0' + i % 10);
    return (long)count;
}
long write(const char *buffer, unsigned long count) {
    long sum = 0;
    for (unsigned long i = 0; i < count; i++)
        sum += buffer[i];
    return sum;
}
u64 fetch(u8 *buffer, u32 n) {
    for (u32 i = 0; i < n; i++)
        buffer[i] = (u8)(n - i);
    return n;
}
static struct item *shadow;
struct item *lookup(int n) { return n ? shadow : NULL; }
char *title(void) { return "a driver"; }
int describe(struct box *box) {
    static u8 bytes[4] = { 1, 2, 3, 4 };
    box->bytes = box->more = bytes;
    box->sum = 10;
    return (int)box->n;
}

static void values(void) {
    judge("integers of every width and sign",
          integers(-3, 200, -30000, 60000, -2000000000, 4000000000u, -5000000000, 0x8000000000000001, true, -128, 65535, ~0ULL) == -77);
    struct directed d = { 1, 2, 3, 4 };
    directions(&d);
    judge("[in], [out], [in, out], [unused]", d.in_only == 1 && d.out_only == 20 && d.both == 30 && d.neither == 4);
    struct bits b = { 5, 8000 };
    bits(&b);
    judge("bit-fields", b.a == 5);
    judge("bounded", bounded(9) == 9);
    judge("void * is a word", opaque((void *)0xdead) == (void *)0xdeae);
    struct item item = { 99 };
    judge("casted", casted((unsigned long)&item) == 99);
    struct shape word = { .kind = 1, .body.word = 0x1234 }, bytes = { .kind = 2, .body.bytes[11] = 77 };
    judge("union", unions(&word) == 0x1234 && unions(&bytes) == 77);
}

static void arrays(void) {
    u32 four[4] = { 1, 2, 3, 4 };
    judge("array<T, 4> *", fixed(four) == 4321);
    u16 many[600];
    u64 sum = 0;
    bool doubled = true;
    for (u32 i = 0; i < 600; i++)
        sum += many[i] = (u16)(i * 7);
    sum = sum == dynamic(many, 600);
    for (u32 i = 0; i < 600; i++)
        doubled &= many[i] == (u16)(i * 14);
    judge("array<T, {{n}}> [in, out] through the overflow page", sum && doubled);
    judge("array<T, {{n}}> of none", dynamic(many, 0) == 0);
    u64 list[] = { 5, 6, 7, 0 };
    judge("array<T, null>", terminated(list) == 3);
    u8 nine[] = { 7, 8, 9 };
    struct item child = { 11 };
    struct holder h = { "hous", { { 1, 2 }, { 3, 4 }, { 5, 6 } }, 3, nine, { &child, NULL } };
    h.name[4] = 'e';
    judge("arrays in place, of arrays, of pointers; measured by a field", in_place(&h) == 1);
    judge("string", text("lvd") == 3 && text("") == 0);
    static char page[4001];
    for (u32 i = 0; i < 4000; i++)
        page[i] = 'x';
    judge("string through the overflow page", long_text(page) == 4000);
    char buffer[8] = "zzzzzzz";
    judge("[out] buffer of the caller's", fill(buffer, 5) == 5 && buffer[4] == 'e' && buffer[5] == 'z');
    struct item *place = NULL;
    judge("pointer to a pointer, [out]", indirect(&place) == 0 && place && place->value == 42);
}

static void objects(void) {
    static struct item item = { 7 }, once = { 8 }, large = { 9 };
    judge("alloc(callee)", alloc(&item) == 7);
    item.value = 70;
    judge("bind(callee)", bind(&item) == 70);
    judge("dealloc(callee)", dealloc(&item) == 70);
    judge("alloc_once(callee)", alloc_once(&once) == 0 && alloc_once(&once) == 1);
    judge("alloc<{{size}}, {{flags}}>(callee)", alloc_size(&large, 60) == sizeof large + 60);
    u32 before = kernel_blocks();
    judge("alloc_stack(callee)", alloc_stack(&item) == 70);
    judge("memory of a call ends with it", kernel_blocks() == before);
    judge("void [alloc<{{size}}>(callee)] * is an identity", alloc_bytes(&item, 24) == 1);
    shadow = make(31);
    judge("alloc(caller)", shadow && shadow->value == 31);
    judge("bind(caller)", same(shadow) == shadow && same(NULL) == NULL);
    judge("[in, out] of a bound object", change(shadow) == 31 && shadow->value == 32);
    before = allocated;
    destroy(shadow);
    judge("dealloc(caller)", allocated == before - 1);
    struct item *opened = open(0);
    judge("err_ptr", opened && opened->value == 5 && (s64)open(13) == -13);
    static struct owner owner = { 3, { 4 } };
    own(&owner);
    judge("bind_memberof", member(&owner.work) == 3);
    struct frame frame = { { 0 }, frame.bytes + 19 };
    judge("within", inside_is(&frame) == 19);
    static struct node a = { 1, NULL }, b = { 2, NULL }, c = { 3, NULL };
    a.next = &b, b.next = &c, c.next = &a;
    judge("recursive projections", ring(&a) == 123);
    shadow = make(77);
}

static void memory(void) {
    payload[20] = 6;
    judge("shared", shared(&payload[20]) == 20);
    device[3] = 0xabcd;
    u32 *window_3 = window(3);
    judge("ioremap", window_3 == &device[3] && !window(99));
}

static void functions(void) {
    judge("rpc_ptr through a trampoline",
          register_handler(on_event, (void *)1) == 1 && call_handler(21) == 42 && handled == 1 && register_handler(on_event, NULL) == 1);
    judge("rpc_ptr of NULL", register_handler(NULL, (void *)2) == 0 && register_handler(on_event, (void *)2) == 1);
    static struct operations ops = { early, on_event, helper };
    register_operations(&ops);
    judge("rpc_ptr static, and a function of the kernel in a driver's table", call_operations(4) == 9012);
}

static void locks(void) {
    static struct counter c = { 100, 1 };
    judge("objects with a lock", track(&c) == 100);
    marshalling_lock_counter_guard(&c);
    c.hits++;
    marshalling_unlock_counter_guard(&c);
    int misses = tracked(&c);
    marshalling_lock_counter_guard(&c);
    judge("a lock brings what it protects, and takes it back", misses == 7 && c.misses == 7 && c.hits == 101);
    marshalling_unlock_counter_guard(&c);
    marshalling_lock_table();
    marshalling_unlock_table();
    judge("a module's lock", true);
    marshalling_read_globals();
    judge("globals", ticks == 4711 && first_item && first_item->value == 42);
}

void run(void) {
    values();
    arrays();
    objects();
    memory();
    functions();
    locks();
}
