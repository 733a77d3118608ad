import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 33.3 "VMX Instructions", 33.4 "VM Instruction Error Numbers".
@Suite struct VMXInstructionTests {
    // MARK: VMXON

    @Test func `VMXON with a matching revision identifier enters VMX operation`() {
        let m = VMXTestMachine()
        m.enterOperation()
        #expect(m.succeeded && m.p.vmx.inOperation && !m.p.hasCurrentVMCS)
    }
    @Test func `VMXON is #UD without CR4.VMXE`() {
        let m = VMXTestMachine()
        m.p.system.cr4 &= ~CR4.vmxEnable
        #expect(m.run(Code.vmxon) == .fault(6, nil))
    }
    @Test func `VMXON is #GP(0) unless IA32_FEATURE_CONTROL is locked with VMX enabled`() {
        for value: UInt64 in [0, 1, 4] {
            let m = VMXTestMachine()
            m.p.system.featureControl = value
            #expect(m.run(Code.vmxon) == .fault(13, 0))
        }
    }
    @Test func `VMXON is #GP(0) when CR0 has a value that VMX operation does not allow`() {
        let m = VMXTestMachine()
        m.p.system.cr0 &= ~CR0.numericError
        #expect(m.run(Code.vmxon) == .fault(13, 0))
    }
    @Test func `VMXON is #GP(0) above CPL 0`() {
        let m = VMXTestMachine()
        m.p.system.cpl = 3
        m.mapUserCode()
        #expect(m.run(Code.vmxon) == .fault(13, 0))
    }
    @Test(arguments: [VMXTestMachine.vmxon + 8, 1 << 46, VMXTestMachine.otherPage])
    func `VMXON fails invalid: not aligned, beyond the address width, wrong revision`(_ address: UInt64) {
        let m = VMXTestMachine()
        m.store(VMXTestMachine.data, address)
        m.run(Code.vmxon)
        #expect(m.failedInvalid && !m.p.vmx.inOperation)
    }
    @Test func `VMXON in VMX root operation fails with error 15`() {
        let m = VMXTestMachine().prepared()
        m.run(Code.vmxon)
        #expect(m.failedValid == .vmxonInRootOperation)
    }
    @Test func `VMXON in VMX root operation without a current VMCS fails invalid`() {
        let m = VMXTestMachine()
        m.enterOperation()
        m.run(Code.vmxon)
        #expect(m.failedInvalid)
    }

    // MARK: Outside VMX operation

    @Test(arguments: [Code.vmxoff, Code.vmclear, Code.vmptrld, Code.vmptrst, Code.vmreadRAX, Code.vmwriteRAX,
                      Code.vmlaunch,
                      Code.vmresume, Code.vmcall, Code.vmfunc, Code.invept, Code.invvpid])
    func `VMX instructions are #UD outside VMX operation`(_ code: [UInt8]) {
        #expect(VMXTestMachine().run(code) == .fault(6, nil))
    }
    @Test func `VMXOFF leaves VMX operation and forgets the current VMCS`() {
        let m = VMXTestMachine().prepared()
        m.run(Code.vmxoff)
        #expect(m.succeeded && !m.p.vmx.inOperation && !m.p.hasCurrentVMCS)
    }
    @Test(arguments: [Code.vmxoff, Code.vmclear, Code.vmptrld, Code.vmptrst, Code.vmreadRAX, Code.vmwriteRAX,
                      Code.vmlaunch,
                      Code.vmresume, Code.vmcall, Code.invept, Code.invvpid])
    func `VMX instructions are #GP(0) above CPL 0 in VMX root operation`(_ code: [UInt8]) {
        let m = VMXTestMachine().prepared()
        m.p.system.cpl = 3
        m.mapUserCode()
        #expect(m.run(code) == .fault(13, 0))
    }

    // MARK: VMCLEAR, VMPTRLD, VMPTRST

    @Test func `VMCLEAR with an invalid physical address fails with error 2`() {
        let m = VMXTestMachine().prepared()
        for address: UInt64 in [VMXTestMachine.otherVMCS + 1, 1 << 46] {
            m.store(VMXTestMachine.data, address)
            m.run(Code.vmclear)
            #expect(m.failedValid == .vmclearInvalidAddress)
        }
    }
    @Test func `VMCLEAR with the VMXON pointer fails with error 3`() {
        let m = VMXTestMachine().prepared()
        m.store(VMXTestMachine.data, VMXTestMachine.vmxon)
        m.run(Code.vmclear)
        #expect(m.failedValid == .vmclearWithVMXONPointer)
    }
    @Test func `VMCLEAR of the current VMCS makes it clear and no longer current`() {
        let m = guest()
        m.run(Code.cpuid)
        #expect(m.p.vmcs.isLaunched)
        m.store(VMXTestMachine.data, VMXTestMachine.vmcs)
        m.run(Code.vmclear)
        #expect(m.succeeded && !m.p.hasCurrentVMCS)
        m.run(Code.vmptrld)
        #expect(m.succeeded && !m.p.vmcs.isLaunched)
    }
    @Test func `VMPTRLD with an invalid physical address fails with error 9`() {
        let m = VMXTestMachine().prepared()
        for address: UInt64 in [VMXTestMachine.otherVMCS + 0x800, 1 << 50] {
            m.store(VMXTestMachine.data, address)
            m.run(Code.vmptrld)
            #expect(m.failedValid == .vmptrldInvalidAddress)
        }
    }
    @Test func `VMPTRLD with the VMXON pointer fails with error 10`() {
        let m = VMXTestMachine().prepared()
        m.store(VMXTestMachine.data, VMXTestMachine.vmxon)
        m.run(Code.vmptrld)
        #expect(m.failedValid == .vmptrldWithVMXONPointer)
    }
    @Test func `VMPTRLD with an incorrect revision identifier fails with error 11, also outside RAM`() {
        let m = VMXTestMachine().prepared()
        for address: UInt64 in [VMXTestMachine.otherPage, 0xF000_0000] {
            m.store(VMXTestMachine.data, address)
            m.run(Code.vmptrld)
            #expect(m.failedValid == .vmptrldIncorrectRevision)
            #expect(m.p.vmx.currentVMCS == VMXTestMachine.vmcs)
        }
    }
    @Test func `VMPTRST stores the current-VMCS pointer, all ones when there is none`() {
        let m = VMXTestMachine()
        m.enterOperation()
        m.run(Code.vmptrst)
        #expect(m.load(VMXTestMachine.data) == ~UInt64(0))
        m.makeCurrent()
        m.run(Code.vmptrst)
        #expect(m.succeeded && m.load(VMXTestMachine.data) == VMXTestMachine.vmcs)
    }
    @Test func `fields belong to their VMCS: another one loaded and back, they are unchanged`() {
        let m = VMXTestMachine().prepared()
        m[.guestRIP] = 0x1234
        m.store(VMXTestMachine.data, VMXTestMachine.otherVMCS)
        m.run(Code.vmptrld)
        m[.guestRIP] = 0x5678
        m.store(VMXTestMachine.data, VMXTestMachine.vmcs)
        m.run(Code.vmptrld)
        #expect(m[.guestRIP] == 0x1234)
    }

    // MARK: VMREAD, VMWRITE

    @Test func `VMREAD and VMWRITE fail invalid without a current VMCS`() {
        let m = VMXTestMachine()
        m.enterOperation()
        m.p.setGPR(GPR.rbx, UInt64(VMCSField.guestRIP.rawValue))
        m.run(Code.vmreadRAX)
        #expect(m.failedInvalid)
        m.run(Code.vmwriteRAX)
        #expect(m.failedInvalid)
    }
    @Test func `VMREAD and VMWRITE of an unsupported component fail with error 12`() {
        let m = VMXTestMachine().prepared()
        // A reserved bit; "high" of a natural-width field; bits above 31; a field of an unsupported feature.
        for encoding: UInt64 in [0x1000, 0x6801, 1 << 32 | 0x681E, UInt64(VMCSField.hlatPrefixSize.rawValue),
                                 0x2054] {
            m.p.setGPR(GPR.rbx, encoding)
            m.run(Code.vmreadRAX)
            #expect(m.failedValid == .unsupportedVMCSComponent)
            m.run(Code.vmwriteRAX)
            #expect(m.failedValid == .unsupportedVMCSComponent)
        }
    }
    @Test func `VMWRITE writes VM-exit information fields, as IA32_VMX_MISC bit 29 says`() throws {
        #expect(VMXMiscellaneous(try #require(VMXModel.capability(VMXMSR.miscellaneous, cr4Fixed1: 0))).vmwriteAnyField)
        let m = VMXTestMachine().prepared()
        m.p.setGPR(GPR.rbx, UInt64(VMCSField.exitReason.rawValue))
        m.p.setGPR(GPR.rax, 0x1234)
        m.run(Code.vmwriteRAX)
        #expect(m.succeeded && m[.exitReason] == 0x1234)
    }
    @Test func `every supported field keeps what VMWRITE stores, at its width`() {
        let m = VMXTestMachine().prepared()
        var highest: UInt32 = 0
        for encoding: UInt32 in 0..<0x8000 where encoding & 1 == 0 {
            guard let field = VMCSField(rawValue: encoding),
                  VMCS.isSupported(field, m.p.engine.secondaryControls) else { continue }
            highest = max(highest, field.encoding.index)
            m.p.setGPR(GPR.rbx, UInt64(encoding))
            m.p.setGPR(GPR.rax, 0xFEDC_BA98_7654_3210)
            m.run(Code.vmwriteRAX)
            #expect(m.succeeded)
            m.p.setGPR(GPR.rax, 0)
            m.run(Code.vmreadRAX)
            let wanted: UInt64 = switch field.encoding.width {
            case .bits16: 0x3210
            case .bits32: 0x7654_3210
            default: 0xFEDC_BA98_7654_3210
            }
            #expect(m.succeeded && m.p.gpr(GPR.rax) == wanted, "\(field)")
        }
        // IA32_VMX_VMCS_ENUM reports the highest index.
        #expect(VMXModel.capability(VMXMSR.vmcsEnumeration, cr4Fixed1: 0) == UInt64(highest) << 1)
    }
    @Test func `fields do not overlap in the VMCS region`() {
        var offsets: [Int] = []
        for encoding: UInt32 in 0..<0x8000 {
            guard let field = VMCSField(rawValue: encoding) else { continue }
            offsets.append(VMCS.offset(field))
        }
        let distinct = offsets.sorted()
        for (a, b) in zip(distinct, distinct.dropFirst()) { #expect(b - a >= 8) }
        #expect(distinct.first! >= 64 && distinct.last! + 8 <= 4096)
    }
    @Test func `the high access of a 64-bit field is its bits 63 to 32`() {
        let m = VMXTestMachine().prepared()
        m[.tscOffset] = 0x1111_2222_3333_4444
        m.p.setGPR(GPR.rbx, UInt64(VMCSField.tscOffset.rawValue) + 1)
        m.run(Code.vmreadRAX)
        #expect(m.p.gpr(GPR.rax) == 0x1111_2222)
        m.p.setGPR(GPR.rax, 0x5555_6666)
        m.run(Code.vmwriteRAX)
        #expect(m[.tscOffset] == 0x5555_6666_3333_4444)
    }
    @Test func `VMREAD and VMWRITE take memory operands`() {
        let m = VMXTestMachine().prepared()
        m.p.setGPR(GPR.rbx, UInt64(VMCSField.guestRIP.rawValue))
        m.store(VMXTestMachine.data, UInt64(0xABCD))
        m.run(Code.vmwriteMemory)
        #expect(m.succeeded && m[.guestRIP] == 0xABCD)
        m[.guestRIP] = 0x77
        m.run(Code.vmreadMemory)
        #expect(m.load(VMXTestMachine.data) == UInt64(0x77))
    }

    // MARK: VMLAUNCH, VMRESUME, VMCALL

    @Test func `VMLAUNCH and VMRESUME fail invalid without a current VMCS`() {
        for code in [Code.vmlaunch, Code.vmresume] {
            let m = VMXTestMachine()
            m.enterOperation()
            m.run(code)
            #expect(m.failedInvalid)
        }
    }
    @Test func `VMLAUNCH with a launched VMCS fails with error 4`() {
        let m = guest()
        m.run(Code.cpuid)
        m.run(Code.vmlaunch)
        #expect(m.failedValid == .vmlaunchNonClearVMCS)
    }
    @Test func `VMRESUME with a clear VMCS fails with error 5`() {
        let m = VMXTestMachine().prepared()
        m.run(Code.vmresume)
        #expect(m.failedValid == .vmresumeNonLaunchedVMCS)
    }
    @Test func `a VM entry with invalid controls fails with error 7 and leaves the launch state clear`() {
        let m = VMXTestMachine().prepared()
        m[.pinBasedControls] = 0
        #expect(!m.launch())
        #expect(m.failedValid == .entryInvalidControlFields && !m.p.vmcs.isLaunched)
    }
    @Test func `a VM entry with invalid host state fails with error 8`() {
        let m = VMXTestMachine().prepared()
        m[.hostCSSelector] = 0
        #expect(!m.launch())
        #expect(m.failedValid == .entryInvalidHostState)
    }
    @Test func `a VM entry while events are blocked by MOV SS fails with error 26`() {
        let m = VMXTestMachine().prepared()
        m.p.system.blockingByMOVSS = true
        m.run(Code.vmlaunch)
        #expect(m.failedValid == .entryEventsBlockedByMOVSS)
    }
    @Test func `VMCALL in VMX root operation fails with error 1`() {
        let m = VMXTestMachine().prepared()
        m.run(Code.vmcall)
        #expect(m.failedValid == .vmcallInRootOperation)
    }

    // MARK: INVEPT, INVVPID

    @Test func `INVEPT with an unknown type or an EPTP that VM entry refuses fails with error 28`() {
        let m = VMXTestMachine().prepared()
        for type: UInt64 in [0, 3, 1 << 32 | 1] {
            m.p.setGPR(GPR.rax, type)
            m.run(Code.invept)
            #expect(m.failedValid == .invalidOperandToINVEPTOrINVVPID)
        }
        m.p.setGPR(GPR.rax, 1)
        m.store(VMXTestMachine.data, m.eptp & ~7 | 1)
        m.run(Code.invept)
        #expect(m.failedValid == .invalidOperandToINVEPTOrINVVPID)
        m.store(VMXTestMachine.data, m.eptp)
        m.run(Code.invept)
        #expect(m.succeeded)
        m.p.setGPR(GPR.rax, 2)
        m.run(Code.invept)
        #expect(m.succeeded)
    }
    @Test(arguments: [(4, 1, 0), (0, 0, 0), (1, 0, 0), (3, 0, 0), (0, 0x1_0001, 0), (2, 0x1_0000, 0),
                      (0, 1, 1 << 47)] as [(UInt64, UInt64, UInt64)])
    func `INVVPID with an unknown type, VPID 0, reserved bits or a non-canonical address fails with error 28`(
        _ type: UInt64, _ vpid: UInt64, _ address: UInt64
    ) {
        let m = VMXTestMachine().prepared()
        m.p.setGPR(GPR.rax, type)
        m.store(VMXTestMachine.data, vpid)
        m.store(VMXTestMachine.data + 8, address)
        m.run(Code.invvpid)
        #expect(m.failedValid == .invalidOperandToINVEPTOrINVVPID)
    }
    @Test(arguments: [0, 1, 2, 3] as [UInt64])
    func `INVVPID types 0 to 3 are accepted with a VPID`(_ type: UInt64) {
        let m = VMXTestMachine().prepared()
        m.p.setGPR(GPR.rax, type)
        m.store(VMXTestMachine.data, UInt64(5))
        m.store(VMXTestMachine.data + 8, UInt64(0x1000))
        m.run(Code.invvpid)
        #expect(m.succeeded)
    }

    // MARK: MSRs

    @Test func `IA32_FEATURE_CONTROL is writable until its lock bit is set`() {
        let m = VMXTestMachine()
        m.p.system.featureControl = 0
        m.p.setGPR(GPR.rcx, 0x3A)
        m.p.setGPR(GPR.rdx, 0)
        m.p.setGPR(GPR.rax, 4)
        #expect(m.run(Code.wrmsr) == .completed)
        m.p.setGPR(GPR.rax, 5)
        #expect(m.run(Code.wrmsr) == .completed)
        #expect(m.run(Code.wrmsr) == .fault(13, 0))
        #expect(m.p.system.featureControl == 5)
    }
    @Test func `capability MSRs cannot be written`() {
        let m = VMXTestMachine()
        for msr: UInt64 in 0x480...0x491 {
            m.p.setGPR(GPR.rcx, msr)
            #expect(m.run(Code.rdmsr) == .completed)
            #expect(m.run(Code.wrmsr) == .fault(13, 0))
            m.p.cpu.pointee.rip = VMXTestMachine.hostEntry
        }
    }
    @Test func `the default1 bits of each capability MSR are a superset of what its TRUE MSR demands`() {
        for (plain, exact) in [(0x481, 0x48D), (0x482, 0x48E), (0x483, 0x48F), (0x484, 0x490)] as [(UInt32, UInt32)] {
            let a = ControlCapability(VMXModel.capability(plain, cr4Fixed1: 0)!)
            let b = ControlCapability(VMXModel.capability(exact, cr4Fixed1: 0)!)
            #expect(a.mayBeOne == b.mayBeOne && a.mustBeOne & b.mustBeOne == b.mustBeOne)
            #expect(a.mustBeOne & ~a.mayBeOne == 0)
        }
    }
    @Test func `CR0 and CR4 keep their VMX-fixed bits in VMX operation`() {
        let m = VMXTestMachine().prepared()
        m.p.setGPR(GPR.rax, m.p.system.cr0 & ~CR0.numericError)
        #expect(m.run(Code.movToCR(0)) == .fault(13, 0))
        m.p.cpu.pointee.rip = VMXTestMachine.hostEntry
        m.p.setGPR(GPR.rax, m.p.system.cr4 & ~CR4.vmxEnable)
        #expect(m.run(Code.movToCR(4)) == .fault(13, 0))
    }
}

extension VMXTestMachine {
    /// User access for the root's identity map, so that code at CPL 3 can be fetched.
    func mapUserCode() {
        p.system.segments[SegmentIndex.cs] = Segment(selector: 0x33, base: 0, limit: 0xFFFF_FFFF, access: 0xA0FB)
        p.system.segments[SegmentIndex.ss] = Segment(selector: 0x2B, base: 0, limit: 0xFFFF_FFFF, access: 0xC0F3)
        p.modeChanged()
    }
}
