/* What the tests need of a machine: console, exceptions, MSRs, VMX. Field encodings: SDM 3D appendix B. */
#ifndef VMFUNC_MACHINE_H
#define VMFUNC_MACHINE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Bool bool;
enum { false, true };

#define PAGE 4096ULL
#define ALIGNED __attribute__((aligned(4096)))

enum vmcs_field {
    VPID = 0x0000, EPTP_INDEX = 0x0004,
    ES_SELECTOR = 0x0800, CS_SELECTOR = 0x0802, SS_SELECTOR = 0x0804, DS_SELECTOR = 0x0806, FS_SELECTOR = 0x0808,
    GS_SELECTOR = 0x080a, LDTR_SELECTOR = 0x080c, TR_SELECTOR = 0x080e,
    HOST_ES = 0x0c00, HOST_CS = 0x0c02, HOST_SS = 0x0c04, HOST_DS = 0x0c06, HOST_FS = 0x0c08, HOST_GS = 0x0c0a, HOST_TR = 0x0c0c,
    MSR_BITMAPS = 0x2004, PML_ADDRESS = 0x200e, VMFUNC_CONTROLS = 0x2018, EPT_POINTER = 0x201a, EPTP_LIST = 0x2024, VE_AREA = 0x202a,
    GUEST_PHYSICAL = 0x2400, LINK_POINTER = 0x2800, GUEST_EFER = 0x2806, HOST_EFER = 0x2c02,
    PIN_CONTROLS = 0x4000, PROC_CONTROLS = 0x4002, EXCEPTION_BITMAP = 0x4004, EXIT_CONTROLS = 0x400c, ENTRY_CONTROLS = 0x4012,
    ENTRY_INFORMATION = 0x4016, SECONDARY_CONTROLS = 0x401e,
    INSTRUCTION_ERROR = 0x4400, EXIT_REASON = 0x4402, EXIT_INTERRUPTION = 0x4404, INSTRUCTION_LENGTH = 0x440c,
    ES_LIMIT = 0x4800, CS_LIMIT = 0x4802, SS_LIMIT = 0x4804, DS_LIMIT = 0x4806, FS_LIMIT = 0x4808, GS_LIMIT = 0x480a,
    LDTR_LIMIT = 0x480c, TR_LIMIT = 0x480e, GDTR_LIMIT = 0x4810, IDTR_LIMIT = 0x4812,
    ES_RIGHTS = 0x4814, CS_RIGHTS = 0x4816, SS_RIGHTS = 0x4818, DS_RIGHTS = 0x481a, FS_RIGHTS = 0x481c, GS_RIGHTS = 0x481e,
    LDTR_RIGHTS = 0x4820, TR_RIGHTS = 0x4822, INTERRUPTIBILITY = 0x4824, ACTIVITY = 0x4826, PML_INDEX = 0x0812,
    EXIT_QUALIFICATION = 0x6400, GUEST_LINEAR = 0x640a,
    GUEST_CR0 = 0x6800, GUEST_CR3 = 0x6802, GUEST_CR4 = 0x6804, FS_BASE = 0x680e, GS_BASE = 0x6810, TR_BASE = 0x6814,
    GDTR_BASE = 0x6816, IDTR_BASE = 0x6818, GUEST_DR7 = 0x681a, GUEST_RSP = 0x681c, GUEST_RIP = 0x681e, GUEST_RFLAGS = 0x6820,
    PENDING_DEBUG = 0x6822,
    HOST_CR0 = 0x6c00, HOST_CR3 = 0x6c02, HOST_CR4 = 0x6c04, HOST_TR_BASE = 0x6c0a, HOST_GDTR = 0x6c0c, HOST_IDTR = 0x6c0e,
    HOST_RIP = 0x6c16,
};

enum exit_reason {
    EXIT_EXCEPTION = 0, EXIT_CPUID = 10, EXIT_VMCALL = 18, EXIT_MTF = 37, EXIT_EPT_VIOLATION = 48, EXIT_EPT_MISCONFIGURATION = 49,
    EXIT_PREEMPTION_TIMER = 52, EXIT_VMFUNC = 59, EXIT_PML_FULL = 62,
};

#define PROC_MTF (1u << 27)
#define PROC_SECONDARY (1u << 31)
#define SECONDARY_EPT (1u << 1)
#define SECONDARY_VPID (1u << 5)
#define SECONDARY_UNRESTRICTED (1u << 7)
#define SECONDARY_VMFUNC (1u << 13)
#define SECONDARY_PML (1u << 17)
#define SECONDARY_VE (1u << 18)

static inline void outb(u16 port, u8 value) { asm volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline void outl(u16 port, u32 value) { asm volatile("outl %0, %1" : : "a"(value), "Nd"(port)); }
static inline u8 inb(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
static inline u64 rdmsr(u32 msr) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}
static inline void wrmsr(u32 msr, u64 value) {
    asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}
static inline void vmwrite(enum vmcs_field field, u64 value) {
    asm volatile("vmwrite %1, %0" : : "r"((u64)field), "r"(value) : "cc", "memory");
}
static inline u64 vmread(enum vmcs_field field) {
    u64 value;
    asm volatile("vmread %1, %0" : "=r"(value) : "r"((u64)field) : "cc");
    return value;
}
static inline void invept(u64 type, u64 eptp) {
    struct { u64 eptp, zero; } descriptor = { eptp, 0 };
    asm volatile("invept %0, %1" : : "m"(descriptor), "r"(type) : "cc", "memory");
}

/* start.S */
extern u64 guest_registers[16], vm_flags, level4[512];
extern u8 exception_stubs[64][16], guest_done[], vm_exit[], guest_stack_top[], gdt[], tss[];
extern struct { u16 limit; u64 base; } __attribute__((packed)) gdt_pointer;
u64 vm_enter(bool launched);
void in_user_mode(void (*function)(void));

/* machine.c */
void print(const char *text);
void print_number(u64 value);
void finish(u32 status); /* ends the run: (status << 1) | 1 by port 0xF4, or "Shutdown" where that is not there */
void machine_init(void);
extern u64 idt[512];

/*
 * The last exception: vector + 1 (0: none), error code, RIP, and DR6 for vector 1. When exception_resume is set, execution
 * goes on there.
 */
extern volatile u64 exception_vector, exception_error, exception_rip, exception_resume, exception_view;

/* vmx.c: one VMCS, a fresh one for every test. */
#define VIEWS 6
#define WINDOW 0x4000000ULL      /* guest-physical: 2 MiB that every view maps elsewhere, in 4 KiB pages */
#define WINDOW_PAGES 16

bool vmx_start(void);
void vmx_reset(void);            /* VMCS as new, views as new, list: view n in entry n, the rest empty */
extern u64 eptp[VIEWS];          /* of the views; all map 0 to 4 GiB to itself but for the window */
extern u64 eptp_list[512];
extern bool has_ad, has_pml, has_ve, has_mtf, has_vpid;
u64 *window_entry(u32 view, u32 page);   /* EPT entry of a page of the window */
u64 *large_entry(u32 view, u64 address); /* EPT entry of the 2 MiB around an address outside the window */
volatile u64 *backing(u32 view, u32 page);
u64 run(void (*guest)(void));    /* enters; the basic exit reason, or ~0 when the entry failed */
u64 run_on(void);                /* goes on where the guest left */
u32 entry_error(void);           /* VM-instruction error after a failed entry */
#endif
