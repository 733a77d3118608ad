import Testing
import X86Architecture
@testable import X86Machine

/// SDM 3A 6.14 "Exception and Interrupt Handling in 64-bit Mode".
@Suite struct DeliveryTests {
    @Test func atTheSameLevelTheFrameGoesOnTheAlignedCurrentStack() {
        let guest = TestGuest(), p = guest.p
        p.setGPR(GPR.rsp, TestGuest.stackTop - 5)
        p.system.flags |= RFLAGS.interrupt
        p.raise(.generalProtection(0x18))
        #expect(guest.handledVector == 13)
        #expect(p.gpr(GPR.rsp) == TestGuest.stackTop - 16 - 48)
        #expect(guest.frame(0) == 0x18)
        #expect(guest.frame(1) == TestGuest.code)
        #expect(guest.frame(2) == UInt64(TestGuest.kernelCode))
        // A fault: RF is set in the saved image.
        #expect(guest.frame(3) == RFLAGS.alwaysOne | RFLAGS.interrupt | RFLAGS.resume)
        #expect(guest.frame(4) == TestGuest.stackTop - 5)
        #expect(guest.frame(5) == UInt64(TestGuest.kernelData))
        // SS is not changed without a change of level.
        #expect(p.system.segments[SegmentIndex.ss].selector == TestGuest.kernelData)
    }

    @Test func interruptGatesClearIFAndTrapGatesKeepIt() {
        for (type, cleared) in [(0xE, true), (0xF, false)] as [(UInt64, Bool)] {
            let guest = TestGuest()
            guest.setGate(6, type: type)
            guest.p.system.flags |= RFLAGS.interrupt | RFLAGS.trap | RFLAGS.nestedTask
            guest.p.raise(.invalidOpcode)
            #expect(guest.p.system.flags & RFLAGS.interrupt == (cleared ? 0 : RFLAGS.interrupt))
            #expect(guest.p.system.flags & (RFLAGS.trap | RFLAGS.nestedTask | RFLAGS.resume) == 0)
        }
    }

    @Test func fromCPL3TheStackIsRSP0AndSSBecomesNull() {
        let guest = TestGuest(), p = guest.p
        guest.setLevel(3)
        p.setGPR(GPR.rsp, 0x1_8001)
        p.raise(.invalidOpcode)
        #expect(p.system.cpl == 0)
        #expect(p.gpr(GPR.rsp) == TestGuest.rsp(0) - 40)
        #expect(guest.frame(3) == 0x1_8001)
        #expect(guest.frame(4) == UInt64(TestGuest.userData))
        #expect(p.system.segments[SegmentIndex.ss].selector == 0)
        #expect(p.system.segments[SegmentIndex.ss].isUnusable)
    }

    @Test func theRPLOfANullSSIsTheNewLevel() {
        let guest = TestGuest(), p = guest.p
        guest.setLevel(3)
        // A code segment of DPL 1.
        guest.setDescriptor(TestGuest.spare, 0x00AF_BB00_0000_FFFF)
        guest.setGate(6, selector: TestGuest.spare)
        p.raise(.invalidOpcode)
        #expect(p.system.cpl == 1)
        #expect(p.gpr(GPR.rsp) == TestGuest.rsp(1) - 40)
        #expect(p.system.segments[SegmentIndex.ss].selector == 1)
    }

    // SDM 3A 6.14.5 "Interrupt Stack Table".
    @Test func anISTStackIsUsedWithoutAChangeOfLevelToo() {
        for n in 1...7 as ClosedRange<UInt64> {
            let guest = TestGuest()
            guest.setGate(0x80, ist: n)
            guest.p.deliver(DeliveredEvent(vector: 0x80, kind: .external, returnRIP: TestGuest.code))
            #expect(guest.handledVector == 0x80)
            #expect(guest.p.gpr(GPR.rsp) == TestGuest.ist(n) - 40)
            #expect(guest.frame(3) == TestGuest.stackTop)
            // Not a fault: RF stays clear in the saved image.
            #expect(guest.frame(2) & RFLAGS.resume == 0)
        }
    }

    @Test func aConformingHandlerRunsAtTheInterruptedLevel() {
        let guest = TestGuest()
        guest.setLevel(3)
        guest.p.setGPR(GPR.rsp, 0x1_8000)
        guest.setGate(6, selector: TestGuest.conformingCode)
        guest.p.raise(.invalidOpcode)
        #expect(guest.p.system.cpl == 3)
        #expect(guest.p.gpr(GPR.rsp) == 0x1_8000 - 40)
        #expect(guest.p.system.segments[SegmentIndex.cs].selector == TestGuest.conformingCode | 3)
    }

    @Test func aPageFaultLoadsCR2() {
        let guest = TestGuest()
        guest.p.raise(.pageFault(2, LinearAddress(0xDEAD_B000)))
        #expect(guest.handledVector == 14)
        #expect(guest.p.system.cr2 == 0xDEAD_B000)
        #expect(guest.frame(0) == 2)
    }

    // MARK: Faults of the gate, SDM 3A 6.13 "Error Code"

    /// The error code on the stack of the handler that ran instead of vector 0x21's.
    private func errorCode(_ guest: TestGuest, _ kind: DeliveryKind) -> (UInt8?, UInt64) {
        guest.p.deliver(DeliveredEvent(vector: 0x21, kind: kind, returnRIP: TestGuest.code + 2))
        return (guest.handledVector, guest.frame(0))
    }

    @Test func aGateThatIsNotPresentRaisesNPNamingIt() {
        let guest = TestGuest()
        guest.setGate(0x21, present: false)
        #expect(errorCode(guest, .external) == (11, 0x21 << 3 | 2 | 1))
        let software = TestGuest()
        software.setGate(0x21, present: false)
        // EXT is clear for INT n.
        #expect(errorCode(software, .softwareInterrupt) == (11, 0x21 << 3 | 2))
    }

    @Test func aGateOutsideTheIDTRaisesGPNamingIt() {
        let guest = TestGuest()
        guest.p.system.idtr.limit = 0x20F
        #expect(errorCode(guest, .external) == (13, 0x21 << 3 | 2 | 1))
    }

    @Test func anInvalidGateTypeRaisesGPNamingIt() {
        let guest = TestGuest()
        guest.setGate(0x21, type: 0xC)
        #expect(errorCode(guest, .external) == (13, 0x21 << 3 | 2 | 1))
    }

    @Test func softwareInterruptsNeedTheGatesPrivilege() {
        for (kind, dpl, allowed) in [
            (.softwareInterrupt, 0, false), (.softwareInterrupt, 3, true), (.external, 0, true),
            (.softwareException, 0, false), (.privilegedSoftwareException, 0, true),
        ]
            as [(DeliveryKind, UInt64, Bool)]
        {
            let guest = TestGuest()
            guest.setLevel(3)
            guest.setGate(0x21, dpl: dpl)
            let (vector, code) = errorCode(guest, kind)
            #expect(vector == (allowed ? 0x21 : 13))
            if !allowed { #expect(code == 0x21 << 3 | 2) }
        }
    }

    @Test func theHandlersCodeSegmentMustBe64BitAndReachable() {
        // (descriptor, vector, error code)
        let cases: [(UInt64, UInt8, UInt64)] = [
            (0x00CF_9B00_0000_FFFF, 13, 0x58 | 1),  // 32-bit code
            (0x00AF_9300_0000_FFFF, 13, 0x58 | 1),  // data
            (0x00AF_1B00_0000_FFFF, 11, 0x58 | 1),  // not present
            (0x00AF_FB00_0000_FFFF, 13, 0x58 | 1),  // DPL 3 from CPL 0
        ]
        for (descriptor, vector, code) in cases {
            let guest = TestGuest()
            guest.setDescriptor(TestGuest.spare, descriptor)
            guest.setGate(0x21, selector: TestGuest.spare)
            #expect(errorCode(guest, .external) == (vector, code))
        }
        let null = TestGuest()
        null.setGate(0x21, selector: 0)
        #expect(errorCode(null, .external) == (13, 1))
    }

    @Test func aTSSThatIsTooShortRaisesTS() {
        let guest = TestGuest()
        guest.setGate(0x21, ist: 3)
        guest.p.system.segments[SegmentIndex.tr].limit = 0x37
        #expect(errorCode(guest, .external) == (10, UInt64(TestGuest.tssSelector) | 1))
    }

    @Test func aNonCanonicalStackPointerRaisesSS() {
        let guest = TestGuest()
        guest.setGate(0x21, ist: 1)
        guest.write(TestGuest.tss + 36, 0x8000_0000_0000_0000 as UInt64)
        #expect(errorCode(guest, .external) == (12, 1))
    }

    // MARK: Double and triple faults, SDM 3A table 6-5 "Conditions for Generating a Double Fault"

    @Test func faultsCombineAsTheTableSays() {
        // First event's vector, what its delivery raises (11: gate not present, 14: its IST stack is not mapped),
        // result.
        let cases: [(UInt8, UInt8, UInt8)] = [
            (6, 11, 11), (6, 14, 14),  // benign: serially
            (13, 11, 8), (13, 14, 14),  // contributory: a contributory second one is a double fault
            (14, 11, 8),  // page fault: contributory
            (0, 11, 8), (10, 11, 8), (12, 11, 8), (17, 11, 11), (1, 11, 11),
        ]
        for (first, second, result) in cases {
            let guest = TestGuest()
            if second == 11 {
                guest.setGate(first, present: false)
            } else {
                guest.setGate(first, ist: 1)
                guest.write(TestGuest.tss + 36, 0x7000_0000 as UInt64)
            }
            let code: UInt32? = Vector.pushesErrorCode(first) ? 0 : nil
            guest.p.raise(
                Exception(
                    vector: first, errorCode: code, faultingAddress: first == 14 ? LinearAddress(0x5000_0000) : nil))
            #expect(guest.handledVector == result, "vector \(first) then \(second)")
            if result == 8 { #expect(guest.frame(0) == 0 && guest.frame(1) == TestGuest.code) }
        }
    }

    @Test func aPageFaultInTheDeliveryOfAPageFaultIsADoubleFaultWithTheSecondCR2() {
        let guest = TestGuest()
        guest.setGate(14, ist: 1)
        guest.write(TestGuest.tss + 36, 0x7000_0000 as UInt64)
        guest.p.raise(.pageFault(0, LinearAddress(0x5000_0000)))
        #expect(guest.handledVector == 8)
        #expect(guest.p.system.cr2 == 0x7000_0000 - 48)
    }

    @Test func aFaultInTheDeliveryOfADoubleFaultShutsTheProcessorDown() {
        let guest = TestGuest()
        guest.setGate(13, present: false)
        guest.setGate(8, present: false)
        guest.p.raise(.generalProtection())
        #expect(guest.p.system.activity == .shutdown)
        guard case .guestDied(let text) = guest.machine.pendingStop else { Issue.record("no stop"); return }
        #expect(text.contains("triple fault"))
    }

    @Test func theDeliveryIsReportedToThoseWhoListen() {
        final class Listener: Observer {
            let events: EventMask = .delivery
            var seen: [Event] = []
            func observe(_ event: Event, processor: Int, in machine: MachineView) { seen.append(event) }
        }
        let guest = TestGuest(), listener = Listener()
        guest.machine.addObserver(listener)
        guest.p.deliver(DeliveredEvent(vector: 0x30, kind: .external, returnRIP: TestGuest.code))
        guard
            case .delivered(0x30, .external, LinearAddress(TestGuest.code), TestGuest.stackTop, let frame) = listener
                .seen.first
        else { Issue.record("not reported"); return }
        #expect(frame.rawValue == TestGuest.stackTop - 40)
    }
}

func ~= (a: LinearAddress, b: LinearAddress) -> Bool { a == b }
