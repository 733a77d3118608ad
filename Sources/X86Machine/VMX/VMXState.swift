import X86Architecture

/// VMX operation of one processor. A plain value.
struct VMXState {
    /// VMXON has been executed and VMXOFF has not.
    var inOperation = false
    /// In VMX non-root operation: a guest is running.
    var inNonRoot = false
    init() {}
}
