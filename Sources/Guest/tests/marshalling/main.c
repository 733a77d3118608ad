/*
 * marshalling.flat: what `lvdsim idl generate` makes of marshalling.idl, both sides in one image, at work. Prints PASS or FAIL and what
 * for; exits with (status << 1) | 1 through port 0xF4: 0 all passed, 1 one failed.
 */
#include "tests.h"

void machine_init(void), finish(u32 status); /* ../vmfunc/machine.c */

static u32 passed, failed;
void judge(const char *name, bool good) {
    good = good && !wrong;
    print(good ? "PASS: " : "FAIL: ");
    print(name);
    print("\n");
    passed += good;
    failed += !good;
    wrong = 0;
}
u32 domain_kernel_blocks(void) { return allocated; }
void domain_judge(const char *name, bool good) { judge(name, good && !inside->killed); }

void domain_run(void);
extern u8 domain_read[], domain_write[], domain_fetch[], domain_lookup[], domain_title[], domain_describe[];

/* The kernel calls the driver. */
void kernel_tests(void) {
    struct lvd_peer *peer = &peers[0];
    char buffer[12] = "";
    user_copies = 0;
    judge("user<{{n}}> [out]", read_call(peer, (u64)domain_read, buffer, 11) == 11 && buffer[10] == '0' && user_copies == 1);
    judge("user<{{n}}> [in]", write_call(peer, (u64)domain_write, "abc", 3) == 'a' + 'b' + 'c' && user_copies == 2);
    u8 bytes[9] = { 0 };
    judge("array<T, {{n}}> [out] of a function pointer", fetch_call(peer, (u64)domain_fetch, bytes, 8) == 8 && bytes[0] == 8 && bytes[8] == 0);
    struct item *item = lookup_call(peer, (u64)domain_lookup, 1);
    judge("a result that the kernel knows", item && item->value == 77 && !lookup_call(peer, (u64)domain_lookup, 0));
    char *title = title_call(peer, (u64)domain_title);
    judge("a string as a result", title && title[0] == 'a' && title[7] == 'r' && !title[8]);
    struct box box = { .n = 4 };
    judge("[out] of memory that the caller does not have", describe_call(peer, (u64)domain_describe, &box) == 4 && box.bytes
          && box.bytes[3] == 4 && box.more != box.bytes && box.more[0] == 1 && box.sum == 10);
    judge("rpc_export", export_call(peer, 12) == 144 && export(5) == 25);
    marshalling_kernel_forget(peer);
    judge("without a domain there is nobody to call", export(5) == -LVD_GLUE_EFAULT);
}

void main64(void) {
    machine_init();
    marshalling_peer = &peers[0];
    domain_run();
    kernel_tests();
    hostile_tests();
    print("SUMMARY: ");
    print_number(passed + failed);
    print(" tests, ");
    print_number(failed);
    print(" unexpected failures\n");
    finish(failed ? 1 : 0);
}
