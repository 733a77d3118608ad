/* What VM entry asks of the fields (SDM 3C 26.2.1.1 "VM-Execution Control Fields"). */
#include "tests.h"

enum { INVALID_CONTROLS = 7 };

static void nothing(void) {}
static enum outcome refused(void) { return verdict(run(nothing) == ~0ULL && entry_error() == INVALID_CONTROLS); }

static enum outcome eptp_switching_needs_ept(void) {
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) & ~(SECONDARY_EPT | SECONDARY_UNRESTRICTED));
    return refused();
}
static enum outcome unsupported_function_bit(void) {
    for (u32 bit = 0; bit < 64; bit++) {
        if (rdmsr(0x491) >> bit & 1)
            continue;
        vmx_reset();
        vmwrite(VMFUNC_CONTROLS, 1ULL << bit);
        if (refused() != PASS)
            return FAIL;
    }
    return PASS;
}
static enum outcome function_bits_do_not_matter_without_the_control(void) {
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) & ~SECONDARY_VMFUNC);
    vmwrite(VMFUNC_CONTROLS, ~0ULL);
    return verdict(run(nothing) == EXIT_VMCALL);
}
static enum outcome list_address_is_page_aligned(void) {
    for (u32 bit = 0; bit < 12; bit++) {
        vmx_reset();
        vmwrite(EPTP_LIST, (u64)eptp_list | 1ULL << bit);
        if (refused() != PASS)
            return FAIL;
    }
    return PASS;
}
static enum outcome list_address_is_within_the_physical_width(void) {
    u32 eax = 0x80000008, ebx, ecx, edx;
    asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    vmwrite(EPTP_LIST, 1ULL << (eax & 0xff));
    return refused();
}
static enum outcome list_address_does_not_matter_without_the_function(void) {
    vmwrite(VMFUNC_CONTROLS, 0);
    vmwrite(EPTP_LIST, ~0ULL);
    return verdict(run(nothing) == EXIT_VMCALL);
}
static enum outcome list_content_does_not_matter_at_entry(void) {
    for (u32 n = 0; n < 512; n++)
        eptp_list[n] = ~0ULL;
    return verdict(run(nothing) == EXIT_VMCALL);
}
static enum outcome information_area_is_page_aligned(void) {
    if (!has_ve)
        return SKIP;
    vmwrite(SECONDARY_CONTROLS, vmread(SECONDARY_CONTROLS) | SECONDARY_VE);
    vmwrite(VE_AREA, 8);
    return refused();
}

const struct test entry_tests[] = {
    TEST(eptp_switching_needs_ept), TEST(unsupported_function_bit), TEST(function_bits_do_not_matter_without_the_control),
    TEST(list_address_is_page_aligned), TEST(list_address_is_within_the_physical_width),
    TEST(list_address_does_not_matter_without_the_function), TEST(list_content_does_not_matter_at_entry),
    TEST(information_area_is_page_aligned), { 0, 0 },
};
