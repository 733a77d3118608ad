import CMonitor

/// The current VMCS of this CPU, by field.
enum VMCS {
    static subscript(field: VMCSField) -> UInt64 {
        @inline(__always) get { vmread(UInt64(field.rawValue)) }
        @inline(__always) set {
            if !vmwrite(UInt64(field.rawValue), newValue) {
                fatal("a VMCS field cannot be written", UInt64(field.rawValue), newValue)
            }
        }
    }
}

typealias CPU = UnsafeMutablePointer<monitor_cpu>
typealias Registers = UnsafeMutablePointer<guest_registers>

extension guest_registers {
    /// By instruction-encoding number; RSP lives in the VMCS.
    subscript(number: UInt64) -> UInt64 {
        get {
            switch number & 15 {
            case 0: rax
            case 1: rcx
            case 2: rdx
            case 3: rbx
            case 4: VMCS[.guestRSP]
            case 5: rbp
            case 6: rsi
            case 7: rdi
            case 8: r8
            case 9: r9
            case 10: r10
            case 11: r11
            case 12: r12
            case 13: r13
            case 14: r14
            default: r15
            }
        }
        set {
            switch number & 15 {
            case 0: rax = newValue
            case 1: rcx = newValue
            case 2: rdx = newValue
            case 3: rbx = newValue
            case 4: VMCS[.guestRSP] = newValue
            case 5: rbp = newValue
            case 6: rsi = newValue
            case 7: rdi = newValue
            case 8: r8 = newValue
            case 9: r9 = newValue
            case 10: r10 = newValue
            case 11: r11 = newValue
            case 12: r12 = newValue
            case 13: r13 = newValue
            case 14: r14 = newValue
            default: r15 = newValue
            }
        }
    }
}
