import Testing
@testable import X86Machine
import X86Architecture

/// SDM 3C 27.10 "VMCS Types: Ordinary and Shadow", 33.3 "VMX Instructions" (VMREAD, VMWRITE, VMPTRLD, VMLAUNCH).
@Suite struct VMCSShadowingTests {
    private typealias T = VMXTestMachine
    private static let field = VMCSField.guestRIP

    /// A guest with "VMCS shadowing", the shadow VMCS linked, and `field` in RBX.
    private static func shadowing(_ change: (VMXTestMachine) -> Void = { _ in }) -> VMXTestMachine {
        let m = guest {
            $0.set(SecondaryControls.vmcsShadowing)
            $0[.vmreadBitmapAddress] = T.vmreadBitmap
            $0[.vmwriteBitmapAddress] = T.vmwriteBitmap
            $0[.vmcsLinkPointer] = T.shadowVMCS
            change($0)
        }
        m.p.setGPR(GPR.rbx, UInt64(field.rawValue))
        return m
    }

    @Test func `VMWRITE and VMREAD with clear bitmap bits access the VMCS at the link pointer`() {
        let m = Self.shadowing()
        let own = m[Self.field]
        m.p.setGPR(GPR.rax, 0x1234)
        #expect(m.run(Code.vmwriteRAX) == .completed && m.succeeded)
        #expect(m.p.vmcs(at: T.shadowVMCS)[Self.field] == 0x1234 && m[Self.field] == own)
        m.p.setGPR(GPR.rax, 0)
        #expect(m.run(Code.vmreadRAX) == .completed && m.succeeded && m.p.gpr(GPR.rax) == 0x1234)
    }
    @Test(arguments: [(T.vmreadBitmap, Code.vmreadRAX, 23), (T.vmwriteBitmap, Code.vmwriteRAX, 25)]
          as [(UInt64, [UInt8], UInt16)])
    func `a set bitmap bit exits`(_ bitmap: UInt64, _ code: [UInt8], _ reason: UInt16) {
        let encoding = UInt64(Self.field.rawValue)
        let m = Self.shadowing { $0.store(bitmap + encoding / 8, UInt8(1) << UInt8(encoding % 8)) }
        #expect(m.run(code) == .exit(reason))
        // The neighbour's bit does not.
        let other = Self.shadowing { $0.store(bitmap + encoding / 8, ~(UInt8(1) << UInt8(encoding % 8))) }
        #expect(other.run(code) == .completed)
    }
    @Test(arguments: [15, 31, 32, 63] as [UInt64])
    func `an encoding with a bit above 14 exits, whatever the bitmaps say`(_ bit: UInt64) {
        let m = Self.shadowing()
        m.p.setGPR(GPR.rbx, UInt64(Self.field.rawValue) | 1 << bit)
        #expect(m.run(Code.vmreadRAX) == .exit(ExitReason.vmread.rawValue))
    }
    @Test func `without the control VMREAD exits`() {
        #expect(Self.shadowing { $0.clear(.vmcsShadowing); $0[.vmcsLinkPointer] = ~0 }.run(Code.vmreadRAX)
                == .exit(ExitReason.vmread.rawValue))
    }
    @Test func `above CPL 0 a shadowed VMREAD is #GP, one that exits exits`() {
        let m = Self.shadowing { $0.fillUserGuest() }
        #expect(m.run(Code.vmreadRAX) == .fault(Vector.generalProtection, 0))
        let other = Self.shadowing { $0.fillUserGuest(); $0.store(T.vmreadBitmap + 0x681E / 8, UInt8(0xFF)) }
        #expect(other.run(Code.vmreadRAX) == .exit(ExitReason.vmread.rawValue))
    }
    @Test func `without a link pointer a shadowed VMREAD is VMfailInvalid`() {
        let m = Self.shadowing { $0[.vmcsLinkPointer] = ~0 }
        #expect(m.run(Code.vmreadRAX) == .completed && m.failedInvalid)
    }
    @Test func `a shadowed access to an unsupported component is error 12 of the current VMCS`() {
        let m = Self.shadowing()
        m.p.setGPR(GPR.rbx, 0x7FFE)
        #expect(m.run(Code.vmreadRAX) == .completed && m.failedValid == .unsupportedVMCSComponent)
    }

    @Test func `VMPTRLD takes a shadow VMCS, VMLAUNCH of it is VMfailInvalid`() {
        let m = VMXTestMachine().prepared()
        m.makeCurrent(T.shadowVMCS)
        #expect(m.succeeded && m.p.vmx.currentVMCS == T.shadowVMCS)
        m.run(Code.vmlaunch)
        #expect(m.failedInvalid && !m.p.vmx.inNonRoot)
    }
    @Test func `VMXON refuses a region with the shadow-VMCS indicator`() {
        let m = VMXTestMachine()
        m.store(T.vmxon, VMXModel.revision | VMCS.shadowIndicator)
        m.enterOperation()
        #expect(m.failedInvalid && !m.p.vmx.inOperation)
    }
}
