/// Where a generated guest keeps its structures. Physical, and linear as long as nothing was damaged.
enum Layout {
    static let memoryBytes: UInt64 = 16 << 20
    static let gdt: UInt64 = 0x1000, tableRegisters: UInt64 = 0x1800
    static let tss: UInt64 = 0x2000, idt64: UInt64 = 0x3000, idt32: UInt64 = 0x4000
    /// Continues the payload after an exception, a VM exit; the same in real mode.
    static let recovery: UInt64 = 0x5000, exitRecovery: UInt64 = 0x6000, realRecovery: UInt64 = 0x5800
    /// 16-bit code that leaves protected mode.
    static let realSwitch: UInt64 = 0x7800
    /// Counts chunks of the payload that have begun.
    static let counter: UInt64 = 0x7000
    /// Operands of VMX instructions, then a page that everything may point to.
    static let operands: UInt64 = 0x8000, data: UInt64 = 0x9000
    static let root64: UInt64 = 0x1_0000, root32: UInt64 = 0x1_8000, rootPAE: UInt64 = 0x1_A000
    static let vmxon: UInt64 = 0x2_0000, vmcs: UInt64 = 0x2_1000, otherVMCS: UInt64 = 0x2_2000
    static let ioBitmaps: UInt64 = 0x2_4000, msrBitmaps: UInt64 = 0x2_6000, eptpList: UInt64 = 0x2_7000
    static let msrArea: UInt64 = 0x2_8000, virtualAPIC: UInt64 = 0x2_9000, apicAccess: UInt64 = 0x2_A000
    static let pml: UInt64 = 0x2_B000, virtualization: UInt64 = 0x2_C000, bitmaps: UInt64 = 0x2_D000
    static let postedInterrupts: UInt64 = 0x2_F000
    static let ept: UInt64 = 0x3_0000, otherEPT: UInt64 = 0x3_8000
    static let payload: UInt64 = 0x4_0000, chunkBytes = 256, chunks = 64
    /// Real-mode code for a start-up message with vector 58H.
    static let startup: UInt64 = 0x5_8000
    static let stackTop: UInt64 = 0x6_8000
    static let boot: UInt64 = 0x10_0000

    /// Pages whose contents the processor reads by itself: worth damaging.
    static let structures: [UInt64] = [
        gdt, tss, idt64, idt32, root64, root64 + 0x1000, root64 + 0x2000, root64 + 0x3000, root32, root32 + 0x1000,
        rootPAE, rootPAE + 0x1000, rootPAE + 0x2000, vmxon, vmcs, otherVMCS, ioBitmaps, msrBitmaps, eptpList, msrArea,
        virtualAPIC, pml, virtualization, bitmaps, postedInterrupts, ept, ept + 0x1000, ept + 0x2000, ept + 0x3000,
        otherEPT, otherEPT + 0x1000, otherEPT + 0x2000, otherEPT + 0x3000,
    ]

    static let kernelCode: UInt16 = 0x08, kernelData: UInt16 = 0x10, userCode: UInt16 = 0x1B, userData: UInt16 = 0x23
    static let code32: UInt16 = 0x28, code16: UInt16 = 0x30, taskState: UInt16 = 0x40
    static let descriptors: [UInt64] = [
        0, 0x00AF_9B00_0000_FFFF, 0x00CF_9300_0000_FFFF, 0x00AF_FB00_0000_FFFF, 0x00CF_F300_0000_FFFF,
        0x00CF_9B00_0000_FFFF, 0x0000_9B00_0000_FFFF, 0x0000_9300_0000_FFFF, 0x0000_8900_2000_0FFF, 0,
        // A call gate, a conforming segment, an LDT, user code of 32 bits.
        0x0000_EC00_0008_5000, 0, 0x00AF_9F00_0000_FFFF, 0x0000_8200_1000_0FFF, 0, 0x00CF_FB00_0000_FFFF,
    ]
}
