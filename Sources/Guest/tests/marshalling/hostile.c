/* A domain that does not use its glue: each message here is one that no honest domain sends, and each must be refused. */
#include "tests.h"

static struct lvd_message message;

static void begin(u32 rpc) {
    message = (struct lvd_message){ { rpc_word(LVD_CLASS_RPC, rpc), 0 } };
}
static void slot(u64 value) {
    u64 n = message.words[1]++;
    if (n < LVD_MESSAGE_SLOTS)
        message.words[2 + n] = value;
    else
        inside->registers[n] = value;
}
static void refused(const char *name) {
    u32 before = allocated;
    bool accepted = marshalling_kernel_dispatch(inside, &message);
    judge(name, !accepted && allocated <= before);
}
static void text_slots(u64 count, const char *bytes, u64 n) {
    slot(1);
    slot(count);
    for (u64 i = 0; i < n; i += 8) {
        u64 word = 0;
        memcpy(&word, bytes + i, n - i < 8 ? n - i : 8);
        slot(word);
    }
}

static void lengths(void) {
    begin(MARSHALLING_IN_KERNEL_integers);
    slot(1);
    refused("too few slots");
    begin(MARSHALLING_IN_KERNEL_call_handler);
    message.words[1] = LVD_MAX_SLOTS + 1;
    refused("more slots than a message has");
    begin(MARSHALLING_IN_KERNEL_call_handler);
    message.words[1] = ~0ULL;
    refused("a count of slots that is a huge number");
    begin(MARSHALLING_IN_KERNEL_END);
    refused("a number that is no function's");
    begin(MARSHALLING_IN_KERNEL_dynamic);
    slot(4), slot(1), slot(1000), slot(0);
    refused("an array longer than its message");
    begin(MARSHALLING_IN_KERNEL_dynamic);
    slot(4), slot(1), slot(~0ULL), slot(0);
    refused("an array of a huge number of elements");
    begin(MARSHALLING_IN_KERNEL_dynamic);
    slot(500), slot(1), slot(4), slot(0);
    refused("an array shorter than the argument that measures it says");
    begin(MARSHALLING_IN_KERNEL_in_place);
    slot(1), slot(900), slot(0);
    slot(0), slot(0); /* matrix: 12 bytes */
    slot(1), slot(3), slot(0), slot(0), slot(0);
    refused("an array shorter than the field that measures it says");
    begin(MARSHALLING_IN_KERNEL_fill);
    slot(4096 * 1024), slot(1);
    refused("a buffer of a huge size");
    begin(MARSHALLING_IN_KERNEL_bounded);
    slot(10);
    refused("an integer at its bound");
}

static void strings(void) {
    begin(MARSHALLING_IN_KERNEL_text);
    text_slots(4, "abcd", 4);
    refused("a string without an end");
    begin(MARSHALLING_IN_KERNEL_text);
    text_slots(0, "", 0);
    refused("a string of no bytes, not even its end");
    begin(MARSHALLING_IN_KERNEL_text);
    text_slots(6, "ab\0cd\0", 6);
    refused("a string that ends before its length");
    begin(MARSHALLING_IN_KERNEL_terminated);
    slot(1), slot(2), slot(5), slot(6);
    refused("an array without its zero");
}

static void references(void) {
    struct item *item = &(struct item){ 5 };
    u64 mine = lvd_reference(&peers[0], item, LVD_TYPE_item);
    inside = &peers[1];
    begin(MARSHALLING_IN_KERNEL_bind);
    slot(mine), slot(0);
    refused("a reference that another domain holds");
    inside = &peers[0];
    begin(MARSHALLING_IN_KERNEL_bind);
    slot(12345), slot(0);
    refused("a reference that nobody holds");
    begin(MARSHALLING_IN_KERNEL_bind);
    slot((u64)item), slot(0);
    refused("an address for a reference");
    begin(MARSHALLING_IN_KERNEL_bind);
    slot(0);
    refused("nothing where bind says that there is something");
    begin(MARSHALLING_IN_KERNEL_tracked);
    slot(mine), slot(0), slot(0);
    refused("a reference to an object of another type");
    begin(MARSHALLING_IN_KERNEL_alloc);
    slot(mine), slot(1);
    refused("a shadow for a reference that exists");
    begin(MARSHALLING_IN_KERNEL_alloc);
    slot(777), slot(1);
    refused("a shadow for a number that is the kernel's to give");
    begin(MARSHALLING_IN_KERNEL_dealloc);
    slot(LVD_GIVEN_BY_DOMAIN | 1), slot(0);
    refused("a reference that has ended");
    begin(MARSHALLING_IN_KERNEL_member);
    slot(mine), slot(0);
    refused("bind_memberof of a container of another type");
    begin(MARSHALLING_IN_KERNEL_alloc_size);
    slot(~0ULL - 3), slot(LVD_GIVEN_BY_DOMAIN | 900), slot(1);
    refused("a size that wraps around to less than the object");
    begin(MARSHALLING_IN_KERNEL_alloc_bytes);
    slot(1 << 30), slot(LVD_GIVEN_BY_DOMAIN | 901);
    refused("an allocation of a gigabyte");
}

static void places(void) {
    begin(MARSHALLING_IN_KERNEL_inside_is);
    slot(1);
    for (u32 n = 0; n < 4; n++)
        slot(0);
    slot(32), slot(0);
    refused("a place right behind its object");
    begin(MARSHALLING_IN_KERNEL_inside_is);
    slot(1);
    for (u32 n = 0; n < 4; n++)
        slot(0);
    slot(-1ULL << 32), slot(0);
    refused("a place before its object");
    begin(MARSHALLING_IN_KERNEL_shared);
    slot(49);
    refused("16 bytes that end behind the shared region");
    begin(MARSHALLING_IN_KERNEL_register_operations);
    slot(LVD_GIVEN_BY_DOMAIN | 950), slot(1);
    for (u32 n = 0; n < 2; n++)
        slot(0);
    marshalling_kernel_forget(inside);
    for (u32 n = 0; n < LVD_TRAMPOLINES; n++) {
        begin(MARSHALLING_IN_KERNEL_register_handler);
        slot(0x1000 + n), slot(2);
        EXPECT(marshalling_kernel_dispatch(inside, &message));
    }
    begin(MARSHALLING_IN_KERNEL_register_handler);
    slot(0x9000), slot(2);
    refused("more functions than there are trampolines");
    marshalling_kernel_forget(inside);
    begin(MARSHALLING_IN_KERNEL_marshalling_unlock_table);
    refused("a lock let go that is not held");
    begin(MARSHALLING_IN_KERNEL_marshalling_lock_table);
    EXPECT(marshalling_kernel_dispatch(inside, &message));
    begin(MARSHALLING_IN_KERNEL_marshalling_lock_table);
    refused("a lock taken twice");
    begin(MARSHALLING_IN_KERNEL_ring);
    for (u32 n = 0; n < 200; n++)
        slot(LVD_GIVEN_BY_DOMAIN | (2000 + n)), slot(1);
    slot(0);
    judge("objects inside objects without an end", !marshalling_kernel_dispatch(inside, &message));
}

/* -- A hostile answer to a call of the kernel ------------------------------------------------------------------------------ */

static u64 answer_slots[16], answer_count;
static bool hostile_answer(struct lvd_message *reply) {
    *reply = (struct lvd_message){ { reply->words[0], answer_count } };
    for (u64 n = 0; n < answer_count && n < 16; n++)
        if (n < LVD_MESSAGE_SLOTS)
            reply->words[2 + n] = answer_slots[n];
        else
            inside->registers[n] = answer_slots[n];
    return true;
}
static void say(u64 count, u64 a, u64 b, u64 c) {
    answer_count = count;
    answer_slots[0] = a, answer_slots[1] = b, answer_slots[2] = c;
}
static void answers(void) {
    char buffer[16];
    u8 bytes[16] = { 0 };
    struct lvd_peer *peer = inside;
    u32 before = allocated;
    answer = hostile_answer;
    say(1, 3, 0, 0);
    judge("an answer with too few slots", read_call(peer, 1, buffer, 8) == -LVD_GLUE_EFAULT && peer->refused == 1);
    say(3, 16, 16, 0x4141);
    judge("an answer longer than the buffer that asked", fetch_call(peer, 1, bytes, 8) == 0 && peer->refused == 2 && bytes[0] == 0);
    say(3, 16, ~0ULL, 0x4141);
    judge("an answer of a huge number of elements", fetch_call(peer, 1, bytes, 8) == 0 && peer->refused == 3);
    say(1, 4444, 0, 0);
    judge("an answer with a reference that nobody holds", lookup_call(peer, 1, 1) == NULL && peer->refused == 4);
    say(3, 1, 3, 0x414141);
    judge("an answer with a string without an end", title_call(peer, 1) == NULL && peer->refused == 5);
    struct box box = { .n = 8 };
    say(8, 8, 0, 1);
    answer_slots[3] = 8, answer_slots[4] = 0x0807060504030201;
    answer_slots[5] = 1, answer_slots[6] = 3; /* the second array is shorter than it says */
    judge("of a refused answer the caller is left no address", describe_call(peer, 1, &box) == -LVD_GLUE_EFAULT && !box.bytes
          && peer->refused == 6);
    say(LVD_MAX_SLOTS + 1, 0, 0, 0);
    judge("an answer with more slots than a message has", export_call(peer, 2) == -LVD_GLUE_EFAULT && peer->refused == 7);
    answer = NULL;
    judge("nothing of a refused call stays", allocated == before);
}

void hostile_tests(void) {
    lengths();
    strings();
    references();
    places();
    answers();
}
