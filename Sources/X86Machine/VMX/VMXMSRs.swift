import X86Architecture

/// IA32_FEATURE_CONTROL and the capability MSRs, for RDMSR and WRMSR.
extension Processor {
    /// nil: no such MSR.
    func readVMXMSR(_ msr: UInt32) -> UInt64? {
        if msr == VMXMSR.featureControl { return system.featureControl }
        if msr == VMXMSR.secondaryControls { return engine.secondaryControls.rawValue }
        return VMXModel.capability(msr, cr4Fixed1: writableCR4)
    }

    /// Capability MSRs are read-only; IA32_FEATURE_CONTROL is until power-up once it is locked
    /// (SDM 3C 26.7 "Enabling and Entering VMX Operation"). SMX, SGX and LMCE are not supported.
    func writeVMXMSR(_ msr: UInt32, _ value: UInt64) throws(Interruption) {
        let writable: FeatureControl = .lock | .vmxOutsideSMX
        guard msr == VMXMSR.featureControl, value & ~writable.rawValue == 0,
              !FeatureControl(system.featureControl).contains(.lock) else { throw .exception(.generalProtection()) }
        system.featureControl = value
    }

    func allowsCR4(_ value: UInt64) -> Bool { VMXModel.allowsCR4(value, fixed1: writableCR4) }
}
