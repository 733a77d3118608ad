import CMonitor

/// What the kernel may do natively and the monitor therefore does for it.
extension VMExit {
    func emulate(_ reason: ExitReason) {
        let qualification = VMCS[.exitQualification]
        switch reason {
        case .controlRegisterAccess:
            controlRegister(ControlRegisterQualification(qualification))
        case .rdmsr:
            readMSR(UInt32(truncatingIfNeeded: registers.pointee.rcx))
        case .wrmsr:
            writeMSR(UInt32(truncatingIfNeeded: registers.pointee.rcx))
        case .ioInstruction:
            io(IOQualification(qualification))
        case .gdtrOrIDTRAccess, .ldtrOrTRAccess:
            descriptorTable(reason, displacement: qualification)
        case .movDR:
            debugRegister(MovDRQualification(qualification))
        case .xsetbv:
            setXCR()
        case .apicWrite:
            handleAPICWrite()
        case .invd:
            write_back_and_invalidate()  // nothing of the monitor's may be lost with the caches
            skipInstruction()
        case .getsec, .vmcall, .vmclear, .vmlaunch, .vmptrld, .vmptrst, .vmread, .vmresume, .vmwrite, .vmxoff, .vmxon,
            .invept, .invvpid:
            injectUndefinedOpcode()
        case .eptViolation:
            fatal(
                "the kernel touched what is not in its view (address, qualification, RIP)", VMCS[.guestPhysicalAddress],
                qualification, VMCS[.guestRIP])
        case .tripleFault:
            fatal("the kernel died in a triple fault (RIP, RSP)", VMCS[.guestRIP], VMCS[.guestRSP])
        default:
            fatal(
                "an exit of the kernel that cannot be (reason, qualification, RIP)", UInt64(reason.rawValue),
                qualification,
                VMCS[.guestRIP])
        }
    }

    // MARK: Control registers

    private func controlRegister(_ access: ControlRegisterQualification) {
        switch (access.register, access.access) {
        case (0, .moveTo):
            setCR0(registers.pointee[access.gpr])
        case (0, .clts):
            setCR0(VMCS[.cr0ReadShadow] & ~CR0.taskSwitched)
        case (0, .lmsw):
            let keep = VMCS[.cr0ReadShadow]
            setCR0(keep & ~0xE | access.lmswSource & 0xF | keep & CR0.protectionEnable)
        case (3, .moveTo):
            setCR3(registers.pointee[access.gpr])
        case (4, .moveTo):
            setCR4(registers.pointee[access.gpr])
        default:
            fatal("a control-register access that is not intercepted", access.rawValue)
        }
    }

    private func setCR0(_ value: UInt64) {
        guard value & CR0.paging != 0, value & CR0.protectionEnable != 0, value >> 32 == 0 else {
            fatal("the kernel leaves paged protected mode", value)
        }
        VMCS[.guestCR0] = value | read_msr(VMXMSR.cr0Fixed0) & 0xFFFF_FFFF
        VMCS[.cr0ReadShadow] = value
        flushGuestTranslations()
        skipInstruction()
    }

    private func setCR4(_ value: UInt64) {
        guard value & ~read_msr(VMXMSR.cr4Fixed1) == 0, value & CR4.vmxEnable == 0,
            value & CR4.physicalAddressExtension != 0
        else {
            return injectGeneralProtection()
        }
        VMCS[.guestCR4] = value | read_msr(VMXMSR.cr4Fixed0)
        VMCS[.cr4ReadShadow] = value
        flushGuestTranslations()
        skipInstruction()
    }

    /// The value also becomes a CR3-target value, in place of the oldest: next time it is loaded without an exit (1.4).
    private func setCR3(_ value: UInt64) {
        let cr3 = value & ~CR3.keepTranslations
        VMCS[.guestCR3] = cr3
        if value & CR3.keepTranslations == 0 { flushGuestTranslations() }
        switch cpu.pointee.next_cr3_target {
        case 0: VMCS[.cr3TargetValue0] = cr3
        case 1: VMCS[.cr3TargetValue1] = cr3
        case 2: VMCS[.cr3TargetValue2] = cr3
        default: VMCS[.cr3TargetValue3] = cr3
        }
        cpu.pointee.next_cr3_target = (cpu.pointee.next_cr3_target + 1) % Policy.cr3Targets
        skipInstruction()
    }

    private func flushGuestTranslations() {
        if !invvpid(INVVPIDType.singleContext.rawValue, Policy.vpid) { fatal("INVVPID failed") }
    }

    // MARK: Model-specific registers

    /// Those that live in the VMCS while a guest runs.
    private func vmcsField(of msr: UInt32) -> VMCSField? {
        switch msr {
        case MSR.fsBase: .guestFSBase
        case MSR.gsBase: .guestGSBase
        case MSR.efer: .guestEFER
        case MSR.pageAttributeTable: .guestPAT
        case MSR.sysenterCS: .guestSysenterCS
        case MSR.sysenterESP: .guestSysenterESP
        case MSR.sysenterEIP: .guestSysenterEIP
        case MSR.debugControl: .guestDebugCtl
        default: nil
        }
    }

    /// Those that exist on every processor this runs on and that the monitor does not use itself.
    private func isPassedThrough(_ msr: UInt32) -> Bool {
        switch msr {
        case MSR.timeStampCounter, MSR.apicBase, MSR.star, MSR.lstar, MSR.cstar, MSR.fmask, MSR.kernelGSBase,
            MSR.tscAux:
            true
        default: false
        }
    }

    private func readMSR(_ msr: UInt32) {
        let value: UInt64
        if let field = vmcsField(of: msr) {
            value = VMCS[field]
        } else if isPassedThrough(msr) {
            value = read_msr(msr)
        } else {
            return injectGeneralProtection()
        }
        registers.pointee.rax = value & 0xFFFF_FFFF
        registers.pointee.rdx = value >> 32
        skipInstruction()
    }

    private func writeMSR(_ msr: UInt32) {
        let value = registers.pointee.rax & 0xFFFF_FFFF | registers.pointee.rdx << 32
        let isBase =
            msr == MSR.fsBase || msr == MSR.gsBase || msr == MSR.kernelGSBase || msr == MSR.lstar || msr == MSR.cstar
            || msr == MSR.sysenterESP || msr == MSR.sysenterEIP
        if isBase && !LinearAddress(value).isCanonical { return injectGeneralProtection() }
        if msr == MSR.efer {
            let allowed = EFER.writable | EFER.longModeActive
            guard value & ~allowed == 0, value & EFER.longModeEnable != 0 else { return injectGeneralProtection() }
            VMCS[.guestEFER] = value | EFER.longModeActive
        } else if let field = vmcsField(of: msr) {
            VMCS[field] = value
        } else if isPassedThrough(msr) && msr != MSR.apicBase {
            write_msr(msr, value)
        } else {
            return injectGeneralProtection()
        }
        skipInstruction()
    }

    // MARK: Ports, debug registers, extended control registers

    private func io(_ access: IOQualification) {
        if access.isString { fatal("string I/O by the kernel (qualification, RIP)", access.rawValue, VMCS[.guestRIP]) }
        let size = UInt32(access.size)
        if access.isIn {
            let value = UInt64(port_read(access.port, size)), rax = registers.pointee.rax
            registers.pointee.rax =
                size == 4 ? value : size == 2 ? rax & ~0xFFFF | value & 0xFFFF : rax & ~0xFF | value & 0xFF
        } else {
            port_write(access.port, UInt32(truncatingIfNeeded: registers.pointee.rax), size)
        }
        skipInstruction()
    }

    private func debugRegister(_ access: MovDRQualification) {
        var number = access.register
        if number == 4 || number == 5 {
            if VMCS[.cr4ReadShadow] & CR4.debuggingExtensions != 0 { return injectUndefinedOpcode() }
            number += 2
        }
        if access.fromDR {
            let value =
                switch number {
                case 0: read_dr0()
                case 1: read_dr1()
                case 2: read_dr2()
                case 3: read_dr3()
                case 6: read_dr6()
                default: VMCS[.guestDR7]
                }
            registers.pointee[access.gpr] = value
        } else {
            let value = registers.pointee[access.gpr]
            if number >= 6 && value >> 32 != 0 { return injectGeneralProtection() }
            switch number {
            case 0: write_dr0(value)
            case 1: write_dr1(value)
            case 2: write_dr2(value)
            case 3: write_dr3(value)
            case 6: write_dr6(value)
            default: VMCS[.guestDR7] = value & DR7.writable | DR7.alwaysOne
            }
        }
        skipInstruction()
    }

    /// SDM 2D "XSETBV": XCR0 needs x87, and AVX needs SSE. XSETBV raises #UD before it exits unless CR4.OSXSAVE is set.
    private func setXCR() {
        let value = registers.pointee.rax & 0xFFFF_FFFF | registers.pointee.rdx << 32
        guard registers.pointee.rcx & 0xFFFF_FFFF == 0, value & XCR0.x87 != 0,
            value & ~(XCR0.x87 | XCR0.sse | XCR0.avx) == 0,
            value & XCR0.avx == 0 || value & XCR0.sse != 0
        else { return injectGeneralProtection() }
        write_cr4(read_cr4() | CR4.osxsave)
        write_xcr(0, value)
        skipInstruction()
    }
}
