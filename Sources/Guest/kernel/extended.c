/* Extended state: set-up, and what it is when nobody has used it. */
#include "extended.h"

enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10, CR4_OSXSAVE = 1 << 18, XSAVE = 1 << 26 };

enum extended_mode extended_mode;
u32 extended_has_xsave;

/* FCW at 0, MXCSR at 24: with a header of zeros (512) XRSTOR makes all else the initial state, FXRSTOR takes it from here. */
const struct extended_area extended_initial = { { [0] = 0x7f, [1] = 0x03, [24] = 0x80, [25] = 0x1f } };

void extended_init(void) {
    u64 cr0, cr4;
    bool none = extended_mode == EXTENDED_NONE, xsave = cpuid(1, 0, 0).ecx & XSAVE;

    asm volatile("movq %%cr0, %0\n\tmovq %%cr4, %1" : "=r"(cr0), "=r"(cr4));
    cr4 |= none ? 0 : CR4_OSFXSR | CR4_OSXMMEXCPT | (xsave ? CR4_OSXSAVE : 0);
    asm volatile("movq %0, %%cr4" : : "r"(cr4));
    asm volatile("movq %0, %%cr0" : : "r"(none ? cr0 | 8 : cr0 & ~8ULL));
    if (none)
        return;
    extended_has_xsave = xsave;
    if (xsave) /* XCR0: x87, SSE and, if there is any, AVX */
        asm volatile("xsetbv" : : "c"(0), "a"(cpuid(13, 0, 0).eax & 7), "d"(0));
    extended_restore(&extended_initial);
}
