/* The EPTP list: where it is read, when, and what an entry must be (SDM 3C 25.6.11 "Extended-Page-Table Pointer (EPTP)"). */
#include "tests.h"

#define ELSEWHERE 0x5000000ULL /* physical, outside this image */

static void to_3(void) { vmfunc(0, 3); }

/* Entry 3 of the list is value: does the switch exit? */
static bool refused(u64 value) {
    eptp_list[3] = value;
    return vmfunc_exit(run(to_3));
}
static bool accepted(u64 value) {
    eptp_list[3] = value;
    return run(to_3) == EXIT_VMCALL && vmread(EPT_POINTER) == value;
}

static void list_changes(void) {
    vmfunc(0, 3);
    seen[0] = view();
    eptp_list[3] = eptp[4];
    vmfunc(0, 3);
    seen[1] = view();
}
static enum outcome is_read_at_each_use(void) {
    return verdict(run(list_changes) == EXIT_VMCALL && seen[0] == 3 && seen[1] == 4);
}

/* By physical address: whatever the guest's page tables and the view make of it. */
static enum outcome is_read_by_physical_address(void) {
    u64 *list = (u64 *)ELSEWHERE;
    for (u32 n = 0; n < 512; n++)
        list[n] = eptp[n % VIEWS];
    for (u32 v = 0; v < VIEWS; v++)
        *large_entry(v, ELSEWHERE) = 0;
    vmwrite(EPTP_LIST, ELSEWHERE);
    return verdict(run(to_3) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[3]);
}
static void to_511(void) { vmfunc(0, 511); }
static enum outcome last_entry_is_511(void) {
    eptp_list[511] = eptp[5];
    return verdict(run(to_511) == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[5]);
}

static enum outcome entry_of_zero_exits(void) { return verdict(refused(0)); }
static enum outcome refused_entry_leaves_the_view(void) {
    return verdict(refused(0) && after_vmcall() == EXIT_VMCALL && vmread(EPT_POINTER) == eptp[0]);
}

#define TYPE(n) (eptp[3] & ~7ULL) | n
#define WALK(n) (eptp[3] & ~(7ULL << 3)) | (u64)n << 3
static enum outcome memory_type_write_back(void) { return verdict(accepted(TYPE(6))); }
static enum outcome memory_type_uncacheable(void) {
    return rdmsr(0x48c) >> 8 & 1 ? verdict(accepted(TYPE(0))) : verdict(refused(TYPE(0)));
}
static enum outcome memory_type_1_exits(void) { return verdict(refused(TYPE(1))); }
static enum outcome memory_type_2_exits(void) { return verdict(refused(TYPE(2))); }
static enum outcome memory_type_3_exits(void) { return verdict(refused(TYPE(3))); }
static enum outcome memory_type_4_exits(void) { return verdict(refused(TYPE(4))); }
static enum outcome memory_type_5_exits(void) { return verdict(refused(TYPE(5))); }
static enum outcome memory_type_7_exits(void) { return verdict(refused(TYPE(7))); }
static enum outcome walk_length_1_exits(void) { return verdict(refused(WALK(0))); }
static enum outcome walk_length_2_exits(void) { return verdict(refused(WALK(1))); }
static enum outcome walk_length_3_exits(void) { return verdict(refused(WALK(2))); }
static enum outcome walk_length_6_exits(void) { return verdict(refused(WALK(5))); }
static enum outcome walk_length_7_exits(void) { return verdict(refused(WALK(6))); }
static enum outcome walk_length_8_exits(void) { return verdict(refused(WALK(7))); }
static enum outcome reserved_bits_exit(void) {
    for (u32 bit = 8; bit < 12; bit++) {
        vmx_reset();
        if (!refused(eptp[3] | 1ULL << bit))
            return FAIL;
    }
    return PASS;
}
static enum outcome bits_beyond_the_physical_width_exit(void) {
    u32 eax = 0x80000008, ebx, ecx, edx;
    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    for (u32 bit = eax & 0xff; bit < 64; bit++) {
        vmx_reset();
        if (!refused(eptp[3] | 1ULL << bit))
            return FAIL;
    }
    return PASS;
}
static enum outcome accessed_and_dirty_bit_by_capability(void) {
    return verdict(has_ad ? accepted(eptp[3] | 1 << 6) : refused(eptp[3] | 1 << 6));
}

const struct test list_tests[] = {
    TEST(is_read_at_each_use), TEST(is_read_by_physical_address), TEST(last_entry_is_511), TEST(entry_of_zero_exits),
    TEST(refused_entry_leaves_the_view), TEST(memory_type_write_back), TEST(memory_type_uncacheable), TEST(memory_type_1_exits),
    TEST(memory_type_2_exits), TEST(memory_type_3_exits), TEST(memory_type_4_exits), TEST(memory_type_5_exits),
    TEST(memory_type_7_exits), TEST(walk_length_1_exits), TEST(walk_length_2_exits), TEST(walk_length_3_exits),
    TEST(walk_length_6_exits), TEST(walk_length_7_exits), TEST(walk_length_8_exits), TEST(reserved_bits_exit),
    TEST(bits_beyond_the_physical_width_exit), TEST(accessed_and_dirty_bit_by_capability), { 0, 0 },
};
