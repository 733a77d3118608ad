import X86Architecture

/// SDM 3C 32.4 "Virtualizing Memory-Mapped APIC Accesses": what accesses to the APIC-access page do.
extension Processor {
    /// The page of the guest whose accesses are virtualized or exit.
    @inline(__always) func isAPICAccessPage(_ address: PhysicalAddress) -> Bool {
        address.rawValue & ~Page.offsetMask == vmx.apicAccessPage
    }

    /// A load of `size` bytes from the APIC-access page by its linear address: from the virtual-APIC page, or an exit.
    func virtualAPICLoad(_ address: PhysicalAddress, size: Int) throws(Interruption) -> UInt64 {
        let offset = address.rawValue & Page.offsetMask
        guard isVirtualizedRead(offset, size: size) else { throw apicAccessExit(address, .read) }
        let virtual = PhysicalAddress(vmx.controls.virtualAPICAddress) + offset
        switch size {
        case 1: return UInt64(ram.load(virtual, as: UInt8.self))
        case 2: return UInt64(ram.load(virtual, as: UInt16.self))
        default: return UInt64(ram.load(virtual, as: UInt32.self))
        }
    }

    /// A store, likewise: to the virtual-APIC page; the write is emulated when the instruction has completed.
    func virtualAPICStore(_ address: PhysicalAddress, size: Int, _ value: UInt64) throws(Interruption) {
        let offset = address.rawValue & Page.offsetMask
        guard isVirtualizedWrite(offset, size: size) else { throw apicAccessExit(address, .write) }
        let virtual = PhysicalAddress(vmx.controls.virtualAPICAddress) + offset
        switch size {
        case 1: storeVirtual(virtual, UInt8(truncatingIfNeeded: value))
        case 2: storeVirtual(virtual, UInt16(truncatingIfNeeded: value))
        default: storeVirtual(virtual, UInt32(truncatingIfNeeded: value))
        }
        vmx.pendingAPICWrite = UInt16(offset)
        attend()
    }

    /// Throws what an access of `size` bytes would throw; nothing for other pages.
    func probeAPICAccess(_ address: PhysicalAddress, size: Int, _ kind: AccessKind) throws(Interruption) {
        guard isAPICAccessPage(address) else { return }
        let offset = address.rawValue & Page.offsetMask
        let ok = switch kind {
        case .read: isVirtualizedRead(offset, size: size)
        case .write: isVirtualizedWrite(offset, size: size)
        case .execute: false
        }
        if !ok { throw apicAccessExit(address, kind) }
    }

    /// Common to 32.4.2 "Virtualizing Reads from the APIC-Access Page" and 32.4.3.1 "Determining Whether a Write Access
    /// is Virtualized": at most 32 bits, within the low four bytes of a naturally aligned 16-byte region, and no write
    /// of the same operation has been virtualized.
    private func mayBeVirtualized(_ offset: UInt64, size: Int) -> Bool {
        guestHas(.useTPRShadow) && size <= 4 && offset & 15 + UInt64(size) <= 4 && vmx.pendingAPICWrite == nil
    }
    private func isVirtualizedRead(_ offset: UInt64, size: Int) -> Bool {
        guard mayBeVirtualized(offset, size: size) else { return false }
        let register = Int(offset >> 4)
        guard guestHas(.apicRegisterVirtualization) else { return register == APICRegister.tpr }
        switch register {
        case APICRegister.id, APICRegister.version, APICRegister.tpr, APICRegister.eoi, APICRegister.ldr,
            APICRegister.dfr, APICRegister.svr, APICRegister.isr, APICRegister.tmr, APICRegister.irr, APICRegister.esr,
            APICRegister.icrLow, APICRegister.icrHigh, 0x32...0x37, APICRegister.initialCount, APICRegister.divide:
            return true
        default: return false
        }
    }
    private func isVirtualizedWrite(_ offset: UInt64, size: Int) -> Bool {
        guard mayBeVirtualized(offset, size: size) else { return false }
        switch Int(offset >> 4) {
        case APICRegister.tpr: return true
        case APICRegister.eoi, APICRegister.icrLow:
            return guestHas(.apicRegisterVirtualization) || guestHas(.virtualInterruptDelivery)
        case APICRegister.id, APICRegister.ldr, APICRegister.dfr, APICRegister.svr, APICRegister.esr,
            APICRegister.icrHigh, 0x32...0x37, APICRegister.initialCount, APICRegister.divide:
            return guestHas(.apicRegisterVirtualization)
        default: return false
        }
    }

    // MARK: VM exits

    /// SDM 3C Table 30-6 "Exit Qualification for APIC-Access VM Exits from Linear Accesses and Guest-Physical
    /// Accesses". A virtualized write of the same operation is not emulated then.
    func apicAccessExit(_ address: PhysicalAddress, _ kind: AccessKind) -> Interruption {
        vmx.pendingAPICWrite = nil
        let type: UInt64 = switch kind {
        case _ where vmx.delivery != nil: 3
        case .read: 0
        case .write: 1
        case .execute: 2
        }
        return .vmExit(VMExitCause(.apicAccess, qualification: address.rawValue & Page.offsetMask | type << 12))
    }

    /// An APIC-access VM exit for an access of an instruction records its length (SDM 3C 30.2.5 "Information for VM
    /// Exits Due to Instruction Execution").
    func withLength(_ interruption: Interruption, _ length: UInt8) -> Interruption {
        guard case .vmExit(var cause) = interruption, cause.reason == ExitReason.apicAccess.rawValue,
              cause.qualification >> 12 <= 1, cause.instructionLength == 0 else { return interruption }
        cause.instructionLength = length
        return .vmExit(cause)
    }

    /// SDM 3C 32.4.6 "APIC Accesses Not Directly Resulting From Linear Addresses": a paging-structure entry.
    func checkGuestPhysicalAPICAccess(_ address: PhysicalAddress) throws(Interruption) {
        guard isAPICAccessPage(address) else { return }
        throw .vmExit(VMExitCause(.apicAccess, qualification: (vmx.delivery != nil ? 10 : 15) << 12))
    }
}
