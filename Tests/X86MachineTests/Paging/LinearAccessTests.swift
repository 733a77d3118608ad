import Testing
import X86Architecture
@testable import X86Machine

@Suite struct LinearAccessTests {
    @Test func anAccessAcrossTwoPagesReachesBothFrames() throws {
        let guest = TestGuest()
        guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        guest.map(0x4000_1000, to: 0x30_0000, [.writable])
        try guest.p.store(LinearAddress(0x4000_0FFD), 0x1122_3344_5566_7788 as UInt64)
        #expect(guest.read(0x20_0FF8) >> 40 == 0x66_7788)
        #expect(guest.read(0x30_0000) & 0xFF_FFFF_FFFF == 0x11_2233_4455)
        #expect(try guest.p.load(LinearAddress(0x4000_0FFD), as: UInt64.self) == 0x1122_3344_5566_7788)
    }

    @Test func aStoreThatFaultsOnItsSecondPageWritesNothing() {
        let guest = TestGuest()
        guest.map(0x4000_0000, to: 0x20_0000, [.writable])
        let fault = guest.fault { () throws(Interruption) in try guest.p.store(LinearAddress(0x4000_0FFD), UInt64.max) }
        // CR2 is the first byte that could not be accessed.
        #expect(fault?.faultingAddress == LinearAddress(0x4000_1000))
        #expect(guest.read(0x20_0FF8) == 0)
    }

    // SDM 1 3.3.7.1 "Canonical Addressing".
    @Test func nonCanonicalAddressesRaiseGPOrInTheStackSS() {
        let guest = TestGuest()
        let a = LinearAddress(0x8000_0000_0000)
        #expect(
            guest.fault { () throws(Interruption) in _ = try guest.p.load(a, as: UInt8.self) } == .generalProtection())
        #expect(
            guest.fault { () throws(Interruption) in _ = try guest.p.load(a, as: UInt8.self, stack: true) }
                == .stackFault())
        // The last byte counts.
        let last = LinearAddress(0x7FFF_FFFF_FFFF)
        #expect(
            guest.fault { () throws(Interruption) in _ = try guest.p.load(last, as: UInt16.self) }
                == .generalProtection())
    }

    // SDM 3A 6.15 "Interrupt 17—Alignment Check Exception (#AC)".
    @Test func alignmentIsCheckedAtCPL3WithAMAndAC() {
        let guest = TestGuest()
        guest.p.system.cr0 |= CR0.alignmentMask
        guest.p.system.flags |= RFLAGS.alignmentCheck
        let read = { (a: UInt64) in
            guest.fault { () throws(Interruption) in _ = try guest.p.load(LinearAddress(a), as: UInt32.self) }
        }
        #expect(read(0x5001) == nil)
        guest.setLevel(3)
        #expect(read(0x5001) == Exception(vector: 17, errorCode: 0))
        #expect(read(0x5004) == nil)
        guest.p.system.flags &= ~RFLAGS.alignmentCheck
        #expect(read(0x5001) == nil)
    }

    @Test func codeIsFetchedUpToTheEndOfItsPage() throws {
        let guest = TestGuest()
        guest.write(0x1_0FF8, 0x8877_6655_4433_2211 as UInt64)
        let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 15)
        defer { bytes.deallocate() }
        #expect(try guest.p.loadCode(0x1_0FFB, into: bytes) == 5)
        #expect(Array(bytes[0..<5]) == [0x44, 0x55, 0x66, 0x77, 0x88])
    }
}
