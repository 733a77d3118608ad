import CMonitor

/// LGDT, SGDT, LIDT, SIDT, LLDT, SLDT, LTR, STR by the kernel. Their memory operand is found by way of the guest's
/// own page tables.
extension VMExit {
    /// SDM 3C Tables 30-10 and 30-11: bits 29:28 of the instruction information say which of the four it is.
    func descriptorTable(_ reason: ExitReason, displacement: UInt64) {
        let information = InstructionInformation(UInt32(truncatingIfNeeded: VMCS[.exitInstructionInformation]))
        let which = information.rawValue >> 28 & 3
        if reason == .gdtrOrIDTRAccess {
            tableRegister(isIDT: which & 1 != 0, isLoad: which & 2 != 0, at: operand(information, displacement))
        } else {
            segmentRegister(isTR: which & 1 != 0, isLoad: which & 2 != 0, information, displacement)
        }
    }

    private func operand(_ information: InstructionInformation, _ displacement: UInt64) -> UInt64 {
        var address = displacement
        if information.hasBase { address = address &+ registers.pointee[UInt64(information.base)] }
        if information.hasIndex {
            address = address &+ registers.pointee[UInt64(information.index)] << UInt64(information.scale)
        }
        if information.addressSize == 1 { address &= 0xFFFF_FFFF }
        switch information.segment {
        case 4: return address &+ VMCS[.guestFSBase]
        case 5: return address &+ VMCS[.guestGSBase]
        default: return address
        }
    }

    private func tableRegister(isIDT: Bool, isLoad: Bool, at address: UInt64) {
        let base: VMCSField = isIDT ? .guestIDTRBase : .guestGDTRBase
        let limit: VMCSField = isIDT ? .guestIDTRLimit : .guestGDTRLimit
        if isLoad {
            var value: UInt64 = 0, bound: UInt64 = 0
            for n: UInt64 in 0..<10 {
                guard let byte = readByte(address &+ n) else { return operandFault(address) }
                if n < 2 { bound |= byte << (8 * n) } else { value |= byte << (8 * (n - 2)) }
            }
            guard LinearAddress(value).isCanonical else { return injectGeneralProtection() }
            VMCS[base] = value
            VMCS[limit] = bound
        } else {
            for n: UInt64 in 0..<10 {
                let byte = n < 2 ? VMCS[limit] >> (8 * n) : VMCS[base] >> (8 * (n - 2))
                guard writeByte(address &+ n, byte) else { return operandFault(address) }
            }
        }
        skipInstruction()
    }

    private func segmentRegister(
        isTR: Bool, isLoad: Bool, _ information: InstructionInformation, _ displacement: UInt64
    ) {
        if isLoad {
            // After launch the kernel has loaded both for good; SDM 2A "LTR" allows no second load of a busy TSS
            // either.
            fatal("LLDT or LTR by the kernel (RIP)", VMCS[.guestRIP])
        }
        let selector = VMCS[isTR ? .guestTRSelector : .guestLDTRSelector]
        if information.isRegister {
            registers.pointee[UInt64(information.register1)] = selector
        } else {
            let address = operand(information, displacement)
            guard writeByte(address, selector), writeByte(address &+ 1, selector >> 8) else {
                return operandFault(address)
            }
        }
        skipInstruction()
    }

    private func operandFault(_ address: UInt64) {
        fatal("operand of a descriptor-table instruction is not mapped (address, RIP)", address, VMCS[.guestRIP])
    }

    // MARK: Guest memory

    private func readByte(_ address: UInt64) -> UInt64? {
        guard let physical = translate(address, forWrite: false) else { return nil }
        return memory_read64(physical & ~7) >> (8 * (physical & 7)) & 0xFF
    }

    private func writeByte(_ address: UInt64, _ byte: UInt64) -> Bool {
        guard let physical = translate(address, forWrite: true) else { return false }
        let shift = 8 * (physical & 7), word = memory_read64(physical & ~7)
        memory_write64(physical & ~7, word & ~(0xFF << shift) | (byte & 0xFF) << shift)
        return true
    }

    /// SDM 3A 4.5 "4-Level Paging and 5-Level Paging". The kernel's view maps addresses to themselves, except for
    /// the pages
    /// moved by hypercall, in which no descriptor operand lies.
    private func translate(_ address: UInt64, forWrite: Bool) -> UInt64? {
        var table = VMCS[.guestCR3] & 0x000F_FFFF_FFFF_F000
        var shift: UInt64 = 39
        while true {
            guard KernelView.contains(table, memoryEnd: cpu.pointee.memory_end) else { return nil }
            let entry = memory_read64(table + (address >> shift & 511) * 8)
            guard entry & 1 != 0, !forWrite || entry & 2 != 0 else { return nil }
            if shift == 12 || entry & 1 << 7 != 0 {
                let offset = (UInt64(1) << shift) - 1
                let physical = entry & 0x000F_FFFF_FFFF_F000 & ~offset | address & offset
                return KernelView.contains(physical, memoryEnd: cpu.pointee.memory_end) ? physical : nil
            }
            table = entry & 0x000F_FFFF_FFFF_F000
            shift -= 9
        }
    }
}
