/* What the new view allows, records and remembers: permissions, cached translations, accessed and dirty flags, #VE. */
#include "tests.h"

#define READABLE 1ULL
#define WRITABLE 2ULL
#define EXECUTABLE 4ULL
#define ACCESSED (1ULL << 8)
#define DIRTY (1ULL << 9)
#define AD_ENABLED (1ULL << 6)
#define SUPPRESS_VE (1ULL << 63)

static void store_in_1(void) {
    vmfunc(0, 1);
    store_window(2, 77);
}
static void load_in_1(void) {
    vmfunc(0, 1);
    seen[0] = window_word(2);
}
static void jump_in_1(void) {
    *(volatile u8 *)(WINDOW + 3 * PAGE) = 0xc3; /* RET */
    vmfunc(0, 1);
    ((void (*)(void))(WINDOW + 3 * PAGE))();
}

/* SDM 3C table 28-7 "Exit Qualification for EPT Violations": 0 read, 1 write, 2 fetch; 3 to 5 what the entries allow. */
static enum outcome store_where_only_loads_are_allowed(void) {
    *window_entry(1, 2) &= ~WRITABLE;
    u64 reason = run(store_in_1), qualification = vmread(EXIT_QUALIFICATION);
    return verdict(reason == EXIT_EPT_VIOLATION && (qualification & 7) == 2 && (qualification >> 3 & 7) == 5
                   && vmread(GUEST_PHYSICAL) == WINDOW + 2 * PAGE && vmread(GUEST_LINEAR) == WINDOW + 2 * PAGE
                   && *backing(1, 2) == 101);
}
static enum outcome load_where_nothing_is(void) {
    *window_entry(1, 2) = 0;
    u64 reason = run(load_in_1), qualification = vmread(EXIT_QUALIFICATION);
    return verdict(reason == EXIT_EPT_VIOLATION && (qualification & 0x3f) == 1 && vmread(EPT_POINTER) == eptp[1]);
}
static enum outcome fetch_where_code_is_forbidden(void) {
    *window_entry(1, 3) &= ~EXECUTABLE;
    u64 reason = run(jump_in_1);
    return verdict(reason == EXIT_EPT_VIOLATION && (vmread(EXIT_QUALIFICATION) & 7) == 4 && vmread(GUEST_RIP) == WINDOW + 3 * PAGE);
}
static enum outcome misconfigured_entry(void) {
    *window_entry(1, 2) = (*window_entry(1, 2) & ~7ULL) | WRITABLE; /* writable, not readable */
    return verdict(run(load_in_1) == EXIT_EPT_MISCONFIGURATION && vmread(GUEST_PHYSICAL) == WINDOW + 2 * PAGE);
}
static enum outcome old_views_permissions_are_gone(void) { /* what view 0 forbids */
    *window_entry(0, 2) = 0;
    return verdict(run(load_in_1) == EXIT_VMCALL && seen[0] == 101);
}
static enum outcome stores_reach_the_new_views_memory(void) {
    return verdict(run(store_in_1) == EXIT_VMCALL && *backing(1, 2) == 77 && *backing(0, 2) == 100);
}

/* SDM 3C 28.3.3.1 "Operations that Invalidate Cached Mappings": translations are tagged with the EPTP they come from. */
static void alternate(void) {
    seen[0] = 0;
    for (u32 n = 0; n < 200; n++) {
        vmfunc(0, n % 3);
        seen[0] += view() == n % 3 && window_word(5) == 100 + n % 3;
    }
}
static enum outcome cached_translations_are_the_views_own(void) { return verdict(run(alternate) == EXIT_VMCALL && seen[0] == 200); }

static void change_while_away(void) {
    seen[0] = window_word(4);
    vmfunc(0, 1);
    vmcall();
    vmfunc(0, 0);
    seen[1] = window_word(4);
}
static enum outcome invept_reaches_a_view_that_is_away(void) {
    u64 reason = run(change_while_away);
    *window_entry(0, 4) = *window_entry(5, 4);
    invept(1, eptp[0]);
    return verdict(reason == EXIT_VMCALL && after_vmcall() == EXIT_VMCALL && seen[0] == 100 && seen[1] == 105);
}

/* SDM 3C 28.3.5 "Accessed and Dirty Flags for EPT": as the EPTP in use says. */
static enum outcome flags_are_set_in_the_new_view(void) {
    if (!has_ad)
        return SKIP;
    eptp_list[1] = eptp[1] | AD_ENABLED;
    bool good = run(store_in_1) == EXIT_VMCALL;
    return verdict(good && (*window_entry(1, 2) & (ACCESSED | DIRTY)) == (ACCESSED | DIRTY));
}
static enum outcome flags_are_not_set_in_the_old_view(void) {
    if (!has_ad)
        return SKIP;
    eptp_list[1] = eptp[1] | AD_ENABLED;
    vmwrite(EPT_POINTER, eptp[0] | AD_ENABLED);
    bool good = run(store_in_1) == EXIT_VMCALL;
    return verdict(good && !(*window_entry(0, 2) & (ACCESSED | DIRTY)));
}
static enum outcome flags_are_off_where_the_entry_says_so(void) {
    if (!has_ad)
        return SKIP;
    vmwrite(EPT_POINTER, eptp[0] | AD_ENABLED);
    return verdict(run(store_in_1) == EXIT_VMCALL && !(*window_entry(1, 2) & (ACCESSED | DIRTY)));
}
static enum outcome load_sets_accessed_only(void) {
    if (!has_ad)
        return SKIP;
    eptp_list[1] = eptp[1] | AD_ENABLED;
    return verdict(run(load_in_1) == EXIT_VMCALL && (*window_entry(1, 2) & (ACCESSED | DIRTY)) == ACCESSED);
}

/* SDM 3C 28.3.6 "Page-Modification Logging". */
static u64 page_log[512] ALIGNED;
static u32 logged(u64 address) {
    u32 count = 0;
    for (u32 n = (u16)(vmread(PML_INDEX) + 1); n < 512; n++)
        count += page_log[n] == address;
    return count;
}
static void store_in_both(void) {
    store_window(2, 1);
    vmfunc(0, 1);
    store_window(2, 2);
    vmfunc(0, 0);
    store_window(2, 3);
}
static enum outcome modified_pages_are_logged_in_each_view(void) {
    if (!has_pml || !has_ad)
        return SKIP;
    for (u32 v = 0; v < 2; v++)
        eptp_list[v] = eptp[v] | AD_ENABLED;
    vmwrite(EPT_POINTER, eptp_list[0]);
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) | SECONDARY_PML);
    vmwrite(PML_ADDRESS, (u64)page_log);
    vmwrite(PML_INDEX, 511);
    return verdict(run(store_in_both) == EXIT_VMCALL && logged(WINDOW + 2 * PAGE) == 2);
}

/* SDM 3C 25.5.7 "Virtualization Exceptions". */
struct ve_area { u32 reason, busy; u64 qualification, linear, physical; u16 eptp_index; };
static union { struct ve_area area; u8 page[4096]; } ve ALIGNED;

static bool enable_ve(void) {
    if (!has_ve)
        return false;
    ve.area = (struct ve_area){ 0 };
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) | SECONDARY_VE);
    vmwrite(VE_AREA, (u64)&ve);
    vmwrite(EPTP_INDEX, 0);
    return true;
}
static void touch_in_2(void) {
    vmfunc(0, 2);
    asm volatile("leaq 1f(%%rip), %%rdx\n\tmovq %%rdx, exception_resume(%%rip)\n\tleaq 2f(%%rip), %%rdx\n\t"
                 "movq %%rdx, at_vmfunc(%%rip)\n2:\tmovq (%0), %%rax\n1:" : : "r"(WINDOW + 2 * PAGE + 8) : "rax", "rdx", "memory");
}
static enum outcome eptp_index_field_is_updated(void) {
    if (!enable_ve())
        return SKIP;
    return verdict(run(load_in_1) == EXIT_VMCALL && vmread(EPTP_INDEX) == 1);
}
/* The index is written where the processor supports "EPT-violation #VE", whether or not that control is 1. */
static enum outcome eptp_index_field_is_updated_without_ve(void) {
    if (!has_ve)
        return SKIP;
    vmwrite(EPTP_INDEX, 9);
    return verdict(run(load_in_1) == EXIT_VMCALL && vmread(EPTP_INDEX) == 1);
}
static enum outcome violation_becomes_an_exception(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = 0;
    return verdict(run(touch_in_2) == EXIT_VMCALL && exception_vector == 20 + 1 && exception_rip == at_vmfunc && exception_view == 102);
}
static enum outcome exception_information_is_stored(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = 0;
    return verdict(run(touch_in_2) == EXIT_VMCALL && ve.area.reason == EXIT_EPT_VIOLATION && ve.area.busy == 0xffffffff
                   && (ve.area.qualification & 0x3f) == 1 && ve.area.physical == WINDOW + 2 * PAGE + 8
                   && ve.area.linear == WINDOW + 2 * PAGE + 8);
}
static enum outcome exception_names_the_eptp_index(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = 0;
    return verdict(run(touch_in_2) == EXIT_VMCALL && ve.area.eptp_index == 2);
}
static enum outcome suppressed_violation_exits(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = SUPPRESS_VE;
    return verdict(run(touch_in_2) == EXIT_EPT_VIOLATION && !ve.area.busy);
}
static enum outcome busy_area_exits(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = 0;
    ve.area.busy = 1;
    return verdict(run(touch_in_2) == EXIT_EPT_VIOLATION && ve.area.busy == 1 && !exception_vector);
}
static enum outcome exception_can_be_intercepted(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = 0;
    vmwrite(EXCEPTION_BITMAP, 1 << 20);
    return verdict(run(touch_in_2) == EXIT_EXCEPTION && (vmread(EXIT_INTERRUPTION) & 0xff) == 20 && ve.area.busy == 0xffffffff);
}
static enum outcome misconfiguration_is_no_exception(void) {
    if (!enable_ve())
        return SKIP;
    *window_entry(2, 2) = (*window_entry(2, 2) & ~7ULL) | WRITABLE;
    return verdict(run(touch_in_2) == EXIT_EPT_MISCONFIGURATION && !exception_vector);
}
static void refused_entry(void) { vmfunc(0, 100); }
static enum outcome refused_switch_is_no_exception(void) {
    if (!enable_ve())
        return SKIP;
    return verdict(vmfunc_exit(run(refused_entry)) && vmread(EPTP_INDEX) == 0);
}

const struct test view_tests[] = {
    TEST(store_where_only_loads_are_allowed), TEST(load_where_nothing_is), TEST(fetch_where_code_is_forbidden),
    TEST(misconfigured_entry), TEST(old_views_permissions_are_gone), TEST(stores_reach_the_new_views_memory),
    TEST(cached_translations_are_the_views_own), TEST(invept_reaches_a_view_that_is_away), TEST(flags_are_set_in_the_new_view),
    TEST(flags_are_not_set_in_the_old_view), TEST(flags_are_off_where_the_entry_says_so), TEST(load_sets_accessed_only),
    TEST(modified_pages_are_logged_in_each_view), TEST(eptp_index_field_is_updated), TEST(eptp_index_field_is_updated_without_ve),
    TEST(violation_becomes_an_exception), TEST(exception_information_is_stored), TEST(exception_names_the_eptp_index),
    TEST(suppressed_violation_exits), TEST(busy_area_exits), TEST(exception_can_be_intercepted),
    TEST(misconfiguration_is_no_exception), TEST(refused_switch_is_no_exception), { 0, 0 },
};
