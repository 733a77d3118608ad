import X86Architecture

/// The MSR areas of VM entries and VM exits: entries of 16 bytes, MSR index, 32 reserved bits, data.
/// SDM 3C 27.7.2 "VM-Exit Controls for MSRs".
extension Processor {
    /// SDM 3C 29.4 "Loading MSRs" (entry) and 30.6 "Loading MSRs" (exit). Returns the number, from 1, of the entry that
    /// failed; those before it have been loaded.
    func loadMSRs(at address: UInt64, count: UInt32) -> UInt64? {
        for n in 0..<UInt64(count) {
            let entry = PhysicalAddress(address &+ n * 16)
            let index = ram.load(entry, as: UInt32.self)
            let reserved = ram.load(entry + 4, as: UInt32.self)
            guard n < VMXModel.msrListLimit, reserved == 0, Self.isLoadable(index) else { return n + 1 }
            do throws(Interruption) {
                try writeMSR(index, ram.load(entry + 8, as: UInt64.self))
            } catch {
                stopIfNotModelled(error)
                return n + 1
            }
        }
        return nil
    }

    /// SDM 3C 30.4 "Saving MSRs". False: a failure, which is a VMX abort.
    func storeMSRs(at address: UInt64, count: UInt32) -> Bool {
        for n in 0..<UInt64(count) {
            let entry = PhysicalAddress(address &+ n * 16)
            let index = ram.load(entry, as: UInt32.self)
            let reserved = ram.load(entry + 4, as: UInt32.self)
            guard n < VMXModel.msrListLimit, reserved == 0, !Self.isX2APIC(index) else { return false }
            do throws(Interruption) {
                let value = try readMSR(index)
                machine.memory.storeUnnotified(entry + 8, value)
                machine.pageWritten(entry + 8, size: 8, by: self)
            } catch {
                stopIfNotModelled(error)
                return false
            }
        }
        return true
    }

    /// Not the bases of FS and GS (they are fields), not the x2APIC's registers.
    private static func isLoadable(_ index: UInt32) -> Bool {
        index != MSR.fsBase && index != MSR.gsBase && !isX2APIC(index)
    }
    private static func isX2APIC(_ index: UInt32) -> Bool { index >> 8 == 8 }

    private func stopIfNotModelled(_ interruption: Interruption) {
        if case .notModelled(let what) = interruption { machine.stop(.notModelled(what)) }
    }
}
