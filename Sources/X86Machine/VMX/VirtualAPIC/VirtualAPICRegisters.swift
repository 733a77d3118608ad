import X86Architecture

/// The virtual-APIC page and what the processor keeps of it: SDM 3C 32.1 "Virtual APIC State".
/// Everything here is called in VMX non-root operation with "use TPR shadow" only.
extension Processor {
    // MARK: Registers, by number as in `APICRegister`

    func virtualAPICAddress(_ register: Int) -> PhysicalAddress {
        PhysicalAddress(vmx.controls.virtualAPICAddress) + UInt64(register) << 4
    }
    func virtualRegister(_ register: Int) -> UInt32 {
        ram.load(virtualAPICAddress(register), as: UInt32.self)
    }
    func setVirtualRegister(_ register: Int, _ value: UInt32) { storeVirtual(virtualAPICAddress(register), value) }

    func storeVirtual<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, _ value: T) {
        guard ram.isRAM(address) else { return }
        machine.memory.storeUnnotified(address, value)
        machine.pageWritten(address, size: MemoryLayout<T>.size, by: self)
    }

    /// VISR or VIRR: `first` is the number of the first of its eight registers.
    private func setVirtualBit(_ first: Int, _ vector: UInt8, _ on: Bool) {
        let register = first + Int(vector >> 5), bit: UInt32 = 1 << UInt32(vector & 31)
        let old = virtualRegister(register)
        setVirtualRegister(register, on ? old | bit : old & ~bit)
    }
    /// The highest vector of VISR or VIRR; 0 if none is set.
    private func highestVirtual(_ first: Int) -> UInt8 {
        for n in (0..<8).reversed() {
            let word = virtualRegister(first + n)
            if word != 0 { return UInt8(n * 32 + 31 - word.leadingZeroBitCount) }
        }
        return 0
    }
    private var visr: Int { APICRegister.isr.lowerBound }
    private var virr: Int { APICRegister.irr.lowerBound }

    var vtpr: UInt8 { UInt8(truncatingIfNeeded: virtualRegister(APICRegister.tpr)) }

    // MARK: Virtualization of registers

    /// SDM 3C 32.1.2 "TPR Virtualization".
    func virtualizeTPR() {
        guard vmx.controls.secondary.contains(.virtualInterruptDelivery) else {
            if UInt32(vtpr >> 4) < vmx.controls.tprThreshold & 15 { requestExit(.tprBelowThreshold) }
            return
        }
        virtualizePPR()
        evaluateVirtualInterrupts()
    }

    /// SDM 3C 32.1.3 "PPR Virtualization".
    func virtualizePPR() {
        let tpr = vtpr
        setVirtualRegister(APICRegister.ppr, UInt32(tpr >> 4 >= vmx.svi >> 4 ? tpr : vmx.svi & 0xF0))
    }

    /// SDM 3C 32.1.4 "EOI Virtualization".
    func virtualizeEOI() {
        let vector = vmx.svi
        setVirtualBit(visr, vector, false)
        vmx.svi = highestVirtual(visr)
        virtualizePPR()
        if vmx.controls.eoiExitBitmap[Int(vector >> 6)] >> UInt64(vector & 63) & 1 != 0 {
            requestExit(.virtualizedEOI, qualification: UInt64(vector))
        } else {
            evaluateVirtualInterrupts()
        }
    }

    /// SDM 3C 32.1.5 "Self-IPI Virtualization".
    func virtualizeSelfIPI(vector: UInt8) {
        setVirtualBit(virr, vector, true)
        vmx.rvi = max(vmx.rvi, vector)
        evaluateVirtualInterrupts()
    }

    // MARK: Evaluation and delivery

    /// SDM 3C 32.2.1 "Evaluation of Pending Virtual Interrupts".
    func evaluateVirtualInterrupts() {
        let vppr = UInt8(truncatingIfNeeded: virtualRegister(APICRegister.ppr))
        vmx.virtualInterruptPending = !vmx.controls.processor.contains(.interruptWindowExiting)
            && vmx.rvi >> 4 > vppr >> 4
        if vmx.virtualInterruptPending { attend() }
    }

    /// SDM 3C 32.2.2 "Virtual-Interrupt Delivery": with the priority of interrupt-window exits; also ends HLT.
    /// True: a recognized virtual interrupt was delivered through the guest's IDT.
    func vmxDeliverVirtualInterrupt() -> Bool {
        guard vmx.inNonRoot, vmx.virtualInterruptPending, acceptsInterrupts,
              system.activity == .active || system.activity == .halted else { return false }
        let vector = vmx.rvi
        setVirtualBit(visr, vector, true)
        vmx.svi = vector
        setVirtualRegister(APICRegister.ppr, UInt32(vector & 0xF0))
        setVirtualBit(virr, vector, false)
        vmx.rvi = highestVirtual(virr)
        vmx.virtualInterruptPending = false
        deliver(DeliveredEvent(vector: vector, kind: .external, returnRIP: cpu.pointee.rip))
        return true
    }

    // MARK: VM entries and trap-like VM exits

    /// What a VM entry does with the virtual APIC, before event injection: SDM 3C 29.3.2.5 "Updating Non-Register
    /// State", 29.7.7 "VM Exits Induced by the TPR Threshold".
    func enterVirtualAPIC(_ v: VMCS) {
        let page = guestHas(.virtualizeAPICAccesses) ? v[.apicAccessAddress] : VMXState.noAPICAccessPage
        vmx.apicAccessPage = page
        // No fast translation made for another choice of page may lead past the checks of this one.
        if page != vmx.lastAPICAccessPage { flushFast() }
        vmx.lastAPICAccessPage = page
        if guestHas(.virtualInterruptDelivery) {
            let status = v.u16(.guestInterruptStatus)
            vmx.rvi = UInt8(truncatingIfNeeded: status)
            vmx.svi = UInt8(truncatingIfNeeded: status >> 8)
            virtualizePPR()
            evaluateVirtualInterrupts()
        } else if guestHas(.useTPRShadow), guestHas(.virtualizeAPICAccesses),
                  UInt32(vtpr >> 4) < vmx.controls.tprThreshold & 15,
                  system.activity == .active || system.activity == .halted {
            requestExit(.tprBelowThreshold)
        }
    }

    /// A VM exit of the guest between this instruction and the next: "trap-like".
    private func requestExit(_ reason: ExitReason, qualification: UInt64 = 0) {
        vmx.trapLikeExit = TrapLikeExit(reason: reason.rawValue, qualification: qualification)
        attend()
    }

    /// APIC-write emulation, then trap-like exits: before every other event of an instruction boundary.
    func vmxBoundaryVirtualAPIC() throws(Interruption) {
        guard vmx.inNonRoot else { return }
        if let offset = vmx.pendingAPICWrite {
            vmx.pendingAPICWrite = nil
            emulateAPICWrite(offset: UInt64(offset))
        }
        guard let request = vmx.trapLikeExit, let reason = ExitReason(rawValue: request.reason) else { return }
        vmx.trapLikeExit = nil
        throw .vmExit(VMExitCause(reason, qualification: request.qualification))
    }

    /// SDM 3C 32.4.3.2 "APIC-Write Emulation", 32.4.3.3 "APIC-Write VM Exits".
    private func emulateAPICWrite(offset: UInt64) {
        let delivers = vmx.controls.secondary.contains(.virtualInterruptDelivery)
        switch Int(offset >> 4) {
        case APICRegister.tpr:
            setVirtualRegister(APICRegister.tpr, UInt32(vtpr))
            virtualizeTPR()
        case APICRegister.eoi where delivers:
            setVirtualRegister(APICRegister.eoi, 0)
            virtualizeEOI()
        case APICRegister.icrLow where delivers && isVirtualSelfIPI(virtualRegister(APICRegister.icrLow)):
            virtualizeSelfIPI(vector: UInt8(truncatingIfNeeded: virtualRegister(APICRegister.icrLow)))
        case APICRegister.icrHigh:
            setVirtualRegister(APICRegister.icrHigh, virtualRegister(APICRegister.icrHigh) & 0xFF00_0000)
        default:
            requestExit(.apicWrite, qualification: offset)
        }
    }

    /// Reserved bits and delivery status 0, shorthand "self", edge-triggered, fixed, a vector above 15.
    private func isVirtualSelfIPI(_ command: UInt32) -> Bool {
        command & 0xFFF3_3000 == 0 && command >> 18 & 3 == 1 && command & 0x8700 == 0 && command & 0xF0 != 0
    }

    // MARK: CR8

    /// SDM 3C 32.3 "Virtualizing CR8-Based TPR Accesses".
    var readableCR8: UInt64 { guestHas(.useTPRShadow) ? UInt64(vtpr >> 4) : apic.cr8 }

    func writeCR8(_ value: UInt64) {
        guard guestHas(.useTPRShadow) else { return writeTaskPriority(class: value) }
        setVirtualRegister(APICRegister.tpr, UInt32(truncatingIfNeeded: value & 15) << 4)
        virtualizeTPR()
    }

    // MARK: MSRs

    /// RDMSR in VMX non-root operation, after the checks of privilege and of the MSR bitmaps; nil: as without
    /// virtualization. SDM 3C 32.5 "Virtualizing MSR-Based APIC Accesses".
    func virtualX2APICRead(_ msr: UInt32) -> UInt64? {
        guard guestHas(.virtualizeX2APICMode), msr >> 8 == 8 else { return nil }
        let register = Int(msr & 0xFF)
        guard register == APICRegister.tpr || guestHas(.apicRegisterVirtualization) else { return nil }
        return ram.load(virtualAPICAddress(register), as: UInt64.self)
    }

    /// WRMSR, likewise. False: as without virtualization.
    func virtualX2APICWrite(_ msr: UInt32, _ value: UInt64) throws(Interruption) -> Bool {
        guard guestHas(.virtualizeX2APICMode), msr >> 8 == 8 else { return false }
        let register = Int(msr & 0xFF), delivers = guestHas(.virtualInterruptDelivery)
        let reserved: UInt64
        switch register {
        case APICRegister.tpr: reserved = ~0xFF
        case APICRegister.eoi where delivers: reserved = ~0
        case APICRegister.selfIPI where delivers: reserved = ~0xFF
        default: return false
        }
        guard value & reserved == 0 else { throw .exception(.generalProtection()) }
        storeVirtual(virtualAPICAddress(register), value)
        switch register {
        case APICRegister.tpr: virtualizeTPR()
        case APICRegister.eoi: virtualizeEOI()
        default:
            if value & 0xF0 != 0 {
                virtualizeSelfIPI(vector: UInt8(truncatingIfNeeded: value))
            } else {
                requestExit(.apicWrite, qualification: UInt64(register) << 4)
            }
        }
        return true
    }

    // MARK: Posted interrupts

    /// SDM 3C 32.6 "Posted-Interrupt Processing": an external interrupt with this vector arrived in VMX non-root
    /// operation and has been acknowledged. False: it is not the notification vector, and exits.
    func processPostedInterrupts(vector: UInt8) throws(Interruption) -> Bool {
        guard guestHas(.processPostedInterrupts), vector == vmx.controls.notificationVector else { return false }
        let descriptor = PhysicalAddress(vmx.controls.postedInterruptDescriptor)
        // Outstanding notification: bit 256.
        storeVirtual(descriptor + 32, ram.load(descriptor + 32, as: UInt8.self) & ~1)
        _ = try apicWrite(APICRegister.eoi, 0)
        for n in 0..<8 {
            let requests = ram.load(descriptor + UInt64(4 * n), as: UInt32.self)
            guard requests != 0 else { continue }
            storeVirtual(descriptor + UInt64(4 * n), UInt32(0))
            setVirtualRegister(virr + n, virtualRegister(virr + n) | requests)
            vmx.rvi = max(vmx.rvi, UInt8(32 * n + 31 - requests.leadingZeroBitCount))
        }
        evaluateVirtualInterrupts()
        return true
    }
}
