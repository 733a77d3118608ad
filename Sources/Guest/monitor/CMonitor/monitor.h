/* What Swift cannot say: processor instructions, the structures that entry.S shares with Swift, constants of the guest system. */
#ifndef MONITOR_H
#define MONITOR_H
#include "offsets.h"
#include "../../include/lvd/causes.h"
#include "../../include/lvd/hypercalls.h"
#include "../../include/lvd/interrupts.h"
#include "../../include/lvd/launch.h"
#include "../../include/lvd/layout.h"
#include "../../include/lvd/results.h"
#include "../../include/lvd/state_page.h"

/* The guest's general-purpose registers as entry.S saves them on a VM exit, in instruction-encoding order. */
struct guest_registers {
    u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};

/* One guest segment register, as it was at launch. */
struct guest_segment { u32 selector, limit, rights; u64 base; };

/* What the processor gets when the monitor leaves it: an IRETQ frame first. A table is six bytes of nothing, limit, base. */
struct native_state {
    u64 rip, cs, rflags, rsp, ss;
    u64 cr3, cr4;
    u64 gdt_limit, gdt_base, idt_limit, idt_base; /* limits in bits 63:48 */
    u64 tr, ds, es, fs, gs, fs_base, gs_base;
};
_Static_assert(__builtin_offsetof(struct native_state, cr3) == NATIVE_CR3, "offsets.h");
_Static_assert(__builtin_offsetof(struct native_state, gdt_limit) == NATIVE_GDT, "offsets.h");
_Static_assert(__builtin_offsetof(struct native_state, idt_limit) == NATIVE_IDT, "offsets.h");
_Static_assert(__builtin_offsetof(struct native_state, gs_base) == NATIVE_GS_BASE, "offsets.h");

/* The monitor's state of one CPU; host GS base points to it. */
struct monitor_cpu {
    u64 index;
    u64 nmi_pending;      /* set by the NMI handler in root operation */
    u64 rbx, rbp, r12, r13, r14, r15, rsp, rflags; /* the kernel's, at its call of monitor_entry */
    u64 stack_top;
    u64 unused;
    struct native_state native; /* when the monitor leaves */
    u64 kernel_eptp;
    u64 state_page_guest; /* guest-physical address of vmfunc_state_page */
    u64 state_page;       /* the memory behind it in the kernel's view */
    u64 upcall_entry;
    u64 memory_end;
    u64 results;
    u64 exits;
    u64 timer_period;     /* in VMX-preemption timer units */
    u64 last_progress;
    u64 expirations_without_progress;
    u64 locked;
    u64 next_cr3_target;
    u64 interrupts;       /* LVD_INTERRUPTS_... */
    u64 pending[4];       /* exiting: vectors taken from the APIC and not injected yet */
    u64 virtual_apic;     /* posted: page */
    struct guest_segment segments[6];
};
_Static_assert(__builtin_offsetof(struct monitor_cpu, nmi_pending) == CPU_NMI_PENDING, "offsets.h");
_Static_assert(__builtin_offsetof(struct monitor_cpu, rbx) == CPU_RBX, "offsets.h");
_Static_assert(__builtin_offsetof(struct monitor_cpu, rsp) == CPU_RSP, "offsets.h");
_Static_assert(__builtin_offsetof(struct monitor_cpu, rflags) == CPU_RFLAGS, "offsets.h");
_Static_assert(__builtin_offsetof(struct monitor_cpu, stack_top) == CPU_STACK_TOP, "offsets.h");
_Static_assert(__builtin_offsetof(struct monitor_cpu, native) == CPU_NATIVE, "offsets.h");
_Static_assert(sizeof(struct monitor_cpu) <= CPU_SIZE, "offsets.h");

/* entry.S and link.ld. */
void monitor_become_native(struct guest_registers *, struct monitor_cpu *) __attribute__((noreturn));
extern u8 monitor_exit[], monitor_image_end[], monitor_text_start[], monitor_text_end[], monitor_fault_stubs[];

#define INLINE static inline __attribute__((always_inline))

/* By local APIC ID: the posted-interrupt descriptor of a processor beneath this monitor, 0 if there is none. */
extern u64 monitor_posted_descriptors[256];
INLINE u64 posted_descriptor(u64 id) { return monitor_posted_descriptors[id & 255]; }
INLINE void set_posted_descriptor(u64 id, u64 descriptor) { monitor_posted_descriptors[id & 255] = descriptor; }
/* Whether it was set already. */
INLINE _Bool atomic_set_bit(u64 address, u64 bit) {
    _Bool was;
    __asm__ volatile("lock btsq %2, (%1)\n\tsetc %0" : "=q"(was) : "r"(address), "r"(bit) : "cc", "memory");
    return was;
}
extern volatile u64 monitor_pool_lock;
INLINE void lock_pool(void) {
    while (atomic_set_bit((u64)&monitor_pool_lock, 0))
        __builtin_ia32_pause();
}
INLINE void unlock_pool(void) { monitor_pool_lock = 0; }
INLINE void set_pending(struct monitor_cpu *cpu, u64 vector) { cpu->pending[vector >> 6 & 3] |= 1ULL << (vector & 63); }
INLINE _Bool has_pending(struct monitor_cpu *cpu) {
    return (cpu->pending[0] | cpu->pending[1] | cpu->pending[2] | cpu->pending[3]) != 0;
}
/* The highest vector of those that wait; there is one. */
INLINE u64 take_pending(struct monitor_cpu *cpu) {
    u64 word = 3;
    while (!cpu->pending[word])
        word--;
    u64 bit = 63 - (u64)__builtin_clzll(cpu->pending[word]);
    cpu->pending[word] &= ~(1ULL << bit);
    return word * 64 + bit;
}

INLINE u64 address_of_exit(void) { return (u64)monitor_exit; }
INLINE u64 address_of_image_end(void) { return (u64)monitor_image_end; }
INLINE u64 address_of_text_start(void) { return (u64)monitor_text_start; }
INLINE u64 address_of_text_end(void) { return (u64)monitor_text_end; }
INLINE u64 address_of_fault_stub(u64 vector) { return (u64)monitor_fault_stubs + vector * 16; }

/* -- physical memory: the monitor runs on an identity map ---------------------------------------------------------------- */
INLINE u64 memory_read64(u64 address) { return *(volatile u64 *)address; }
INLINE void memory_write64(u64 address, u64 value) { *(volatile u64 *)address = value; }
INLINE u8 memory_read8(u64 address) { return *(volatile u8 *)address; }
INLINE u16 memory_read16(u64 address) { return *(volatile u16 *)address; }
INLINE void memory_write16(u64 address, u16 value) { *(volatile u16 *)address = value; }
INLINE u32 memory_read32(u64 address) { return *(volatile u32 *)address; }
INLINE void memory_write32(u64 address, u32 value) { *(volatile u32 *)address = value; }

/* -- instructions ------------------------------------------------------------------------------------------------------ */
#define READ_CONTROL(name)                                                                      \
    INLINE u64 read_##name(void) {                                                              \
        u64 value;                                                                              \
        __asm__ volatile("movq %%" #name ", %0" : "=r"(value));                                 \
        return value;                                                                           \
    }                                                                                           \
    INLINE void write_##name(u64 value) { __asm__ volatile("movq %0, %%" #name : : "r"(value) : "memory"); }
READ_CONTROL(cr0) READ_CONTROL(cr3) READ_CONTROL(cr4)
READ_CONTROL(dr0) READ_CONTROL(dr1) READ_CONTROL(dr2) READ_CONTROL(dr3) READ_CONTROL(dr6) READ_CONTROL(dr7)

INLINE u64 read_msr(u32 msr) {
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}
INLINE void write_msr(u32 msr, u64 value) {
    __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
INLINE void write_xcr(u32 index, u64 value) {
    __asm__ volatile("xsetbv" : : "c"(index), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

struct cpuid_result { u32 eax, ebx, ecx, edx; };
INLINE struct cpuid_result cpuid(u32 leaf, u32 subleaf) {
    struct cpuid_result r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

INLINE u32 port_read(u16 port, u32 size) {
    u32 value = 0;
    if (size == 1)
        __asm__ volatile("inb %1, %b0" : "+a"(value) : "Nd"(port));
    else if (size == 2)
        __asm__ volatile("inw %1, %w0" : "+a"(value) : "Nd"(port));
    else
        __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
INLINE void port_write(u16 port, u32 value, u32 size) {
    if (size == 1)
        __asm__ volatile("outb %b0, %1" : : "a"(value), "Nd"(port));
    else if (size == 2)
        __asm__ volatile("outw %w0, %1" : : "a"(value), "Nd"(port));
    else
        __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
INLINE void halt(void) { __asm__ volatile("hlt"); }
INLINE void write_back_and_invalidate(void) { __asm__ volatile("wbinvd" : : : "memory"); }

/* Segment registers and descriptor tables. */
#define STORE_TABLE(name)                                                                       \
    INLINE u64 name##_base(void) {                                                              \
        struct { u16 limit; u64 base; } __attribute__((packed)) table;                          \
        __asm__ volatile("s" #name " %0" : "=m"(table));                                        \
        return table.base;                                                                      \
    }                                                                                           \
    INLINE u64 name##_limit(void) {                                                             \
        struct { u16 limit; u64 base; } __attribute__((packed)) table;                          \
        __asm__ volatile("s" #name " %0" : "=m"(table));                                        \
        return table.limit;                                                                     \
    }
STORE_TABLE(gdt) STORE_TABLE(idt)
INLINE u16 store_tr(void) {
    u16 s;
    __asm__ volatile("str %0" : "=r"(s));
    return s;
}
INLINE u16 store_ldtr(void) {
    u16 s;
    __asm__ volatile("sldt %0" : "=r"(s));
    return s;
}
INLINE u16 read_segment(u32 n) { /* ES CS SS DS FS GS */
    u16 s;
    switch (n) {
    case 0: __asm__ volatile("movw %%es, %0" : "=r"(s)); break;
    case 1: __asm__ volatile("movw %%cs, %0" : "=r"(s)); break;
    case 2: __asm__ volatile("movw %%ss, %0" : "=r"(s)); break;
    case 3: __asm__ volatile("movw %%ds, %0" : "=r"(s)); break;
    case 4: __asm__ volatile("movw %%fs, %0" : "=r"(s)); break;
    default: __asm__ volatile("movw %%gs, %0" : "=r"(s)); break;
    }
    return s;
}
INLINE u32 load_access_rights(u32 selector) {
    u32 rights = 0;
    __asm__ volatile("larl %1, %0" : "+r"(rights) : "r"(selector));
    return rights;
}
INLINE u32 load_segment_limit(u32 selector) {
    u32 limit = 0;
    __asm__ volatile("lsll %1, %0" : "+r"(limit) : "r"(selector));
    return limit;
}

/* VMX instructions: true when they succeed (VMsucceed). */
#define VMX_RESULT "setnbe %0"
INLINE _Bool vmxon(u64 region) {
    _Bool good;
    __asm__ volatile("vmxon %1\n\t" VMX_RESULT : "=q"(good) : "m"(region) : "cc", "memory");
    return good;
}
INLINE void vmxoff(void) { __asm__ volatile("vmxoff" : : : "cc", "memory"); }
INLINE _Bool vmclear(u64 region) {
    _Bool good;
    __asm__ volatile("vmclear %1\n\t" VMX_RESULT : "=q"(good) : "m"(region) : "cc", "memory");
    return good;
}
INLINE _Bool vmptrld(u64 region) {
    _Bool good;
    __asm__ volatile("vmptrld %1\n\t" VMX_RESULT : "=q"(good) : "m"(region) : "cc", "memory");
    return good;
}
INLINE _Bool vmwrite(u64 field, u64 value) {
    _Bool good;
    __asm__ volatile("vmwrite %2, %1\n\t" VMX_RESULT : "=q"(good) : "r"(field), "rm"(value) : "cc", "memory");
    return good;
}
INLINE u64 vmread(u64 field) {
    u64 value;
    __asm__ volatile("vmread %1, %0" : "=rm"(value) : "r"(field) : "cc", "memory");
    return value;
}
INLINE _Bool invept(u64 type, u64 eptp) {
    struct { u64 eptp, zero; } descriptor = { eptp, 0 };
    _Bool good;
    __asm__ volatile("invept %1, %2\n\t" VMX_RESULT : "=q"(good) : "m"(descriptor), "r"(type) : "cc", "memory");
    return good;
}
INLINE _Bool invvpid(u64 type, u64 vpid) {
    struct { u64 vpid, address; } descriptor = { vpid, 0 };
    _Bool good;
    __asm__ volatile("invvpid %1, %2\n\t" VMX_RESULT : "=q"(good) : "m"(descriptor), "r"(type) : "cc", "memory");
    return good;
}
#endif
