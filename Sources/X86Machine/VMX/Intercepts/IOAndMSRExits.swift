import X86Architecture
import X86Decoder

/// SDM 3C 27.6.4 "I/O-Bitmap Addresses", 27.6.9 "MSR-Bitmap Address", 28.1.3, 28.3.
extension Processor {
    /// IN, OUT, INS, OUTS: after the checks of IOPL and of the TSS's permission bitmap.
    /// `string`: the linear address of the memory operand of INS or OUTS.
    func vmxCheckIO(_ i: borrowing Instruction, port: UInt16, size: Int, isIn: Bool, isImmediate: Bool = false,
                    string: LinearAddress? = nil) throws(Interruption) {
        guard vmx.inNonRoot, interceptsPort(port, size: size) else { return }
        let prefixes = i.prefixes
        let isRepeated = string != nil && (prefixes.rep || prefixes.repne)
        let q = IOQualification(port: port, size: UInt64(size), isIn: isIn, isString: string != nil,
                                isRepeated: isRepeated, isImmediate: isImmediate)
        var cause = VMExitCause(.ioInstruction, qualification: q.rawValue)
        cause.instructionLength = i.length
        if let string {
            cause.guestLinearAddress = string
            // Table "Format of the VM-Exit Instruction-Information Field as Used for INS and OUTS".
            cause.instructionInformation = addressSizeInformation(i) | UInt32(isIn ? 0 : i.segment & 7) << 15
        }
        throw .vmExit(cause)
    }

    /// "Use I/O bitmaps" overrides "unconditional I/O exiting". An access that wraps around port FFFFH exits.
    private func interceptsPort(_ port: UInt16, size: Int) -> Bool {
        let controls = vmx.controls.processor
        guard controls.contains(.useIOBitmaps) else { return controls.contains(.unconditionalIOExiting) }
        if Int(port) + size > 0x1_0000 { return true }
        for n in Int(port)..<Int(port) + size {
            let bitmap = n < 0x8000 ? vmx.controls.ioBitmapA : vmx.controls.ioBitmapB
            let byte = ram.load(PhysicalAddress(bitmap) + UInt64(n & 0x7FFF) >> 3, as: UInt8.self)
            if byte & (1 << UInt8(n & 7)) != 0 { return true }
        }
        return false
    }

    /// RDMSR: after the privilege check, before the MSR's existence is looked at.
    func vmxCheckRDMSR(_ i: borrowing Instruction, _ msr: UInt32) throws(Interruption) {
        if vmx.inNonRoot && interceptsMSR(msr, isWrite: false) { throw exit(.rdmsr, i) }
    }
    /// WRMSR, likewise.
    func vmxCheckWRMSR(_ i: borrowing Instruction, _ msr: UInt32) throws(Interruption) {
        if vmx.inNonRoot && interceptsMSR(msr, isWrite: true) { throw exit(.wrmsr, i) }
    }

    /// Four bitmaps of 1 KiB: read low, read high, write low, write high. Without them, and for every other MSR: exit.
    private func interceptsMSR(_ msr: UInt32, isWrite: Bool) -> Bool {
        guard vmx.controls.processor.contains(.useMSRBitmaps) else { return true }
        var offset: UInt64 = isWrite ? 2048 : 0
        switch msr {
        case 0...0x1FFF: break
        case 0xC000_0000...0xC000_1FFF: offset += 1024
        default: return true
        }
        offset += UInt64(msr & 0x1FFF) >> 3
        let byte = ram.load(PhysicalAddress(vmx.controls.msrBitmaps) + offset, as: UInt8.self)
        return byte & (1 << UInt8(msr & 7)) != 0
    }

    /// What RDTSC, RDTSCP and RDMSR of IA32_TIME_STAMP_COUNTER give, in VMX non-root operation multiplied (48 bits
    /// after the binary point) and offset. SDM 3C 27.6.5 "Time-Stamp Counter Offset and Multiplier".
    var visibleTimestampCounter: UInt64 {
        guard guestHas(.useTSCOffsetting) else { return timestampCounter }
        guard guestHas(.useTSCScaling) else { return timestampCounter &+ vmx.controls.tscOffset }
        let product = timestampCounter.multipliedFullWidth(by: vmx.controls.tscMultiplier)
        return (product.high &<< 16 | product.low &>> 48) &+ vmx.controls.tscOffset
    }
}
