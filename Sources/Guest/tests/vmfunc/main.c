/*
 * vmfunc.flat: VM functions and EPTP switching, one sub-test for each clause of SDM 3C "VM Functions" (SDM 3C 28.5.7 and the places
 * that it names). Prints PASS, FAIL or SKIP and a name; exits with (status << 1) | 1 through port 0xF4: 0 all passed,
 * 1 one failed, 77 this machine has no VM functions.
 */
#include "tests.h"

static u32 passed, failed, skipped;

static void judge(const char *suite, const char *name, enum outcome outcome) {
    print(outcome == PASS ? "PASS: " : outcome == FAIL ? "FAIL: " : "SKIP: ");
    print(suite);
    print(": ");
    print(name);
    print("\n");
    passed += outcome == PASS;
    failed += outcome == FAIL;
    skipped += outcome == SKIP;
}

static void run_suite(const char *suite, const struct test *tests) {
    for (; tests->name; tests++) {
        vmx_reset();
        judge(suite, tests->name, tests->run());
    }
}

void main64(void) {
    machine_init();
    if (!vmx_start()) {
        print("SKIP: vmfunc: this machine has no VM functions\n");
        finish(77);
    }
    run_suite("calling", calling_tests);
    run_suite("switching", switching_tests);
    run_suite("list", list_tests);
    run_suite("views", view_tests);
    run_suite("entry", entry_tests);
    print("SUMMARY: ");
    print_number(passed + failed + skipped);
    print(" tests, ");
    print_number(failed);
    print(" unexpected failures, ");
    print_number(skipped);
    print(" skipped\n");
    finish(failed ? 1 : 0);
}
