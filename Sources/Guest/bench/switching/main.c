/*
 * What a change of view and a VM exit cost. `vmfunc=N` makes N EPTP switches, `touch=N` makes N and reads, after each, a page
 * that is another one in each view, `exit=N` makes N VMCALL exits that are resumed behind the instruction. Ends through
 * port 0xF4: 0 all seen as it should be, 1 not, 77 no VM functions.
 */
#include "../../tests/vmfunc/machine.h"

extern u32 boot_information; /* start.S */
void resume_loop(u64 count), call_loop(void);
static u64 count;
static volatile u64 seen;

/* Two switches a turn: to view 1 and back. */
static void switch_views(void) {
    for (u64 n = count / 2; n; n--)
        asm volatile("vmfunc\n\tmovl $0, %%ecx\n\tvmfunc" : : "a"(0), "c"(1) : "memory");
}

static void switch_and_touch(void) {
    u64 sum = 0;
    for (u64 n = count / 2; n; n--) {
        u64 first, second;
        asm volatile("vmfunc\n\tmovq (%3), %0\n\tmovl $0, %%ecx\n\tvmfunc\n\tmovq (%3), %1"
                     : "=&r"(first), "=&r"(second), "=c"((u64){ 0 }) : "r"(WINDOW), "a"(0), "2"(1ULL) : "memory");
        sum += first - second; /* views are numbered from 100 */
    }
    seen = sum;
}

/* The number behind `word=` on the command line; 0 without it. Multiboot 1: flags at 0, command line at 16. */
static u64 option(const char *word) {
    u32 *information = (u32 *)(u64)boot_information;
    if (!(information[0] & 4))
        return 0;
    for (const char *at = (const char *)(u64)information[4]; *at; at++) {
        const char *w = word, *text = at;
        while (*w && *w == *text)
            w++, text++;
        if (*w || *text++ != '=')
            continue;
        u64 value = 0;
        for (; *text >= '0' && *text <= '9'; text++)
            value = value * 10 + (u64)(*text - '0');
        return value;
    }
    return 0;
}

void main64(void) {
    machine_init();
    if (!vmx_start())
        finish(77);
    vmx_reset();
    bool good = true;
    if ((count = option("vmfunc")))
        good = run(switch_views) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[0];
    else if ((count = option("touch")))
        good = run(switch_and_touch) == EXIT_VMCALL && seen == count / 2;
    else if ((count = option("exit"))) {
        good = run(call_loop) == EXIT_VMCALL;
        vmwrite(GUEST_RIP, vmread(GUEST_RIP) + 3);
        resume_loop(count);
    }
    finish(good ? 0 : 1);
}
