// Plain values only: the guest monitor compiles this file too (Embedded Swift, no allocation).

/// General-purpose registers by number, SDM 2A 2.1.5 "Addressing-Mode Encoding of ModR/M and SIB Bytes".
public enum GPR {
    public static let rax = 0, rcx = 1, rdx = 2, rbx = 3, rsp = 4, rbp = 5, rsi = 6, rdi = 7
    public static let r8 = 8, r9 = 9, r10 = 10, r11 = 11, r12 = 12, r13 = 13, r14 = 14, r15 = 15
}

/// Selector bits, SDM 3A 3.4.2 "Segment Selectors".
public enum Selector {
    public static let requestedPrivilege: UInt16 = 3
    public static let localTable: UInt16 = 4
    public static let index: UInt16 = 0xFFF8
}

/// Access rights of a segment in the layout of the VMCS (SDM 3C 27.4.1 "Guest Register State"),
/// which is bits 8 to 23 of the second doubleword of a descriptor, with bit 16 "unusable" added.
public enum AccessRights {
    public static let type: UInt32 = 0xF
    /// Type bits of code and data segments (S = 1).
    public static let accessed: UInt32 = 1 << 0
    /// Data: writable. Code: readable.
    public static let writable: UInt32 = 1 << 1
    public static let readable: UInt32 = 1 << 1
    /// Data: expand down. Code: conforming.
    public static let expandDown: UInt32 = 1 << 2
    public static let conforming: UInt32 = 1 << 2
    public static let code: UInt32 = 1 << 3
    /// S: 1 for code and data, 0 for system descriptors.
    public static let codeOrData: UInt32 = 1 << 4
    public static let privilegeShift: UInt32 = 5
    public static let privilege: UInt32 = 3 << 5
    public static let present: UInt32 = 1 << 7
    public static let available: UInt32 = 1 << 12
    /// L: 64-bit code.
    public static let long: UInt32 = 1 << 13
    /// D/B: default operation size, stack size, upper bound of expand-down segments.
    public static let defaultBig: UInt32 = 1 << 14
    public static let granularity: UInt32 = 1 << 15
    public static let unusable: UInt32 = 1 << 16
    /// Bits that a descriptor defines (bits 11:8 of the layout are the descriptor's limit 19:16).
    public static let mask: UInt32 = 0xF0FF
}

/// SDM 3A 3.5 "System Descriptor Types", table 3-2.
public enum SystemDescriptorType {
    public static let availableTSS16: UInt32 = 1
    public static let ldt: UInt32 = 2
    public static let busyTSS16: UInt32 = 3
    public static let callGate16: UInt32 = 4
    public static let taskGate: UInt32 = 5
    public static let interruptGate16: UInt32 = 6
    public static let trapGate16: UInt32 = 7
    /// In IA-32e mode the 64-bit TSS.
    public static let availableTSS: UInt32 = 9
    public static let busyTSS: UInt32 = 11
    public static let callGate: UInt32 = 12
    public static let interruptGate: UInt32 = 14
    public static let trapGate: UInt32 = 15
}
