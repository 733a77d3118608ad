import Testing
import X86Architecture
@testable import X86Machine

/// Instructions that 64-bit mode does not have, in 32-bit protected mode. SDM 2A and 2B under their names.
@Suite("Instructions outside 64-bit mode") struct LegacyInstructionTests {
    private let guest = TestGuest()
    private var p: Processor { guest.p }

    init() {
        p.system.efer = 0
        p.system.cr0 = CR0.protectionEnable | CR0.extensionType
        p.system.segments[SegmentIndex.cs] = Segment(selector: 8, base: 0, limit: .max, access: 0xC09B)
        for n in [SegmentIndex.ss, SegmentIndex.ds, SegmentIndex.es] {
            p.system.segments[n] = Segment(selector: 16, base: 0, limit: .max, access: 0xC093)
        }
        for v in 0..<256 as Range<UInt64> {
            let target = TestGuest.handlers + 16 * v
            guest.write(TestGuest.idt + 8 * v, target | 8 << 16 | 0x8E << 40)
        }
        p.modeChanged()
    }
    private func execute(_ bytes: [UInt8], ax: UInt64, carry: Bool = false, adjust: Bool = false) {
        p.setGPR(GPR.rax, ax)
        p.rflags = 2 | (carry ? RFLAGS.carry : 0) | (adjust ? RFLAGS.adjust : 0)
        guest.execute(bytes)
    }

    @Test("DAA makes the sum of two packed decimals packed decimal, with the carry")
    func daa() {
        for a in 0..<100 {
            for b in 0..<100 {
                let x = (a / 10) << 4 | a % 10, y = (b / 10) << 4 | b % 10, sum = (a + b) % 100
                p.cpu.pointee.rip = TestGuest.code
                execute([0x27], ax: UInt64((x + y) & 0xFF), carry: x + y > 0xFF, adjust: (x & 15) + (y & 15) > 15)
                #expect(p.gpr(GPR.rax) == UInt64((sum / 10) << 4 | sum % 10), "\(a) + \(b)")
                #expect((p.rflags & RFLAGS.carry != 0) == (a + b > 99))
            }
        }
    }
    @Test("DAS makes the difference of two packed decimals packed decimal, with the borrow")
    func das() {
        for a in 0..<100 {
            for b in 0..<100 {
                let x = (a / 10) << 4 | a % 10, y = (b / 10) << 4 | b % 10, difference = (a - b + 100) % 100
                p.cpu.pointee.rip = TestGuest.code
                execute([0x2F], ax: UInt64((x - y) & 0xFF), carry: x < y, adjust: x & 15 < y & 15)
                #expect(p.gpr(GPR.rax) == UInt64((difference / 10) << 4 | difference % 10), "\(a) - \(b)")
                #expect((p.rflags & RFLAGS.carry != 0) == (a < b))
            }
        }
    }
    @Test("AAA and AAS keep one digit in AL and carry into AH")
    func ascii() {
        for a in 0..<10 {
            for b in 0..<10 {
                p.cpu.pointee.rip = TestGuest.code
                execute([0x37], ax: UInt64(0x100 | a + b), adjust: a + b > 15)
                let carried: Int = a + b > 9 ? 0x200 : 0x100, borrowed: Int = a < b ? 0x100 : 0x200
                #expect(p.gpr(GPR.rax) == UInt64(carried | (a + b) % 10))
                p.cpu.pointee.rip = TestGuest.code
                execute([0x3F], ax: UInt64(0x200 | (a - b) & 0xFF), adjust: a < b)
                #expect(p.gpr(GPR.rax) == UInt64(borrowed | (a - b + 10) % 10), "\(a) - \(b)")
            }
        }
    }
    @Test("AAM divides AL by its base and AAD undoes it; a base of 0 is #DE")
    func bases() {
        execute([0xD4, 7], ax: 100)
        #expect(p.gpr(GPR.rax) == UInt64((100 / 7) << 8 | 100 % 7))
        guest.execute([0xD5, 7])
        #expect(p.gpr(GPR.rax) == 100)
        execute([0xD4, 0], ax: 100)
        #expect(guest.handledVector == 0)
    }
    @Test("SALC copies CF into every bit of AL")
    func salc() {
        execute([0xD6], ax: 0x1234, carry: true)
        #expect(p.gpr(GPR.rax) == 0x12FF)
        execute([0xD6], ax: 0x1234)
        #expect(p.gpr(GPR.rax) == 0x1200)
    }
    @Test("PUSHAD stores EAX to EDI with the old ESP among them, POPAD loads all but ESP")
    func all() {
        for n in 0..<8 where n != GPR.rsp { p.setGPR(n, UInt64(0x1111_0000 + n)) }
        p.setGPR(GPR.rsp, TestGuest.stackTop)
        guest.execute([0x60])
        for n in 0..<8 as Range<UInt64> {
            let expected = n == 4 ? TestGuest.stackTop : 0x1111_0000 + n
            #expect(UInt64(guest.read32(TestGuest.stackTop - 4 - 4 * n)) == expected)
        }
        guest.write(TestGuest.stackTop - 20, 0xDEAD as UInt32)
        for n in 0..<8 where n != GPR.rsp { p.setGPR(n, 0) }
        guest.execute([0x61])
        for n in 0..<8 { #expect(p.gpr(n) == (n == 4 ? TestGuest.stackTop : 0x1111_0000 + UInt64(n))) }
    }
    @Test("BOUND passes a signed index within both bounds, both included, and is #BR otherwise")
    func bound() {
        guest.write(0x5_0000, UInt32(bitPattern: -5))
        guest.write(0x5_0004, UInt32(7))
        p.setGPR(GPR.rbx, 0x5_0000)
        for (index, vector) in [(-5, nil), (0, nil), (7, nil), (-6, 5), (8, 5)] as [(Int32, UInt8?)] {
            p.cpu.pointee.rip = TestGuest.code
            execute([0x62, 0x03], ax: UInt64(UInt32(bitPattern: index)))
            #expect(guest.handledVector == vector, "\(index)")
        }
    }
}
