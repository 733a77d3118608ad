import CEngineState

/// Where a semantic function leaves its flags. Semantics are generic over it: `LiveFlags` keeps them,
/// `DeadFlags` is chosen by the translator where nothing can see them before they are overwritten.
protocol FlagSink {
    init(_ cpu: CPUPointer)
    /// CF now.
    var carry: Bool { get }
    /// OF now.
    var overflow: Bool { get }
    func set<W: Width>(_ kind: UInt64, _ result: W, _ a: W, _ b: W)
    /// SF, ZF and PF from the result, the others as given.
    func set<W: Width>(_ result: W, carry: Bool, overflow: Bool, adjust: Bool)
    /// INC and DEC: all but CF.
    func setKeepingCarry<W: Width>(_ kind: UInt64, _ result: W)
    /// Rotates: CF and OF only.
    func set(carry: Bool, overflow: Bool)
    /// BT and its family: CF only.
    func set(carry: Bool)
    /// All six, at their places in RFLAGS.
    func set(all: UInt64)
}

struct LiveFlags: FlagSink {
    let cpu: CPUPointer
    @inline(__always) init(_ cpu: CPUPointer) { self.cpu = cpu }
    @inline(__always) var carry: Bool { cpu.pointee.carryFlag }
    @inline(__always) var overflow: Bool { cpu.pointee.overflowFlag }
    @inline(__always) func set<W: Width>(_ kind: UInt64, _ result: W, _ a: W, _ b: W) {
        cpu.pointee.result = UInt64(bitPattern: result.signExtended)
        if kind != FlagKind.logic {
            cpu.pointee.a = UInt64(a)
            cpu.pointee.b = UInt64(b)
        }
        cpu.pointee.kind = kind &+ UInt64(W.bitWidth)
    }
    @inline(__always) func set<W: Width>(_ result: W, carry: Bool, overflow: Bool, adjust: Bool) {
        cpu.pointee.result = UInt64(bitPattern: result.signExtended)
        cpu.pointee.carry = carry ? 1 : 0
        cpu.pointee.overflow = overflow ? 1 : 0
        cpu.pointee.adjust = adjust ? 1 : 0
        cpu.pointee.kind = FlagKind.stored &+ UInt64(W.bitWidth)
    }
    @inline(__always) func setKeepingCarry<W: Width>(_ kind: UInt64, _ result: W) {
        let carry = cpu.pointee.carryFlag
        cpu.pointee.carry = carry ? 1 : 0
        cpu.pointee.result = UInt64(bitPattern: result.signExtended)
        cpu.pointee.kind = kind &+ UInt64(W.bitWidth)
    }
    @inline(__always) func set(carry: Bool, overflow: Bool) {
        let adjust = cpu.pointee.adjustFlag
        store(carry, overflow, adjust)
    }
    @inline(__always) func set(carry: Bool) {
        let overflow = cpu.pointee.overflowFlag, adjust = cpu.pointee.adjustFlag
        store(carry, overflow, adjust)
    }
    @inline(__always) func set(all: UInt64) {
        cpu.pointee.result = (all &>> 6 & 1) ^ 1
        cpu.pointee.a = all
        cpu.pointee.carry = all & 1
        cpu.pointee.overflow = all &>> 11 & 1
        cpu.pointee.adjust = all &>> 4 & 1
        cpu.pointee.kind = FlagKind.restored &+ 64
    }
    /// SF, ZF and PF stay what they are: those of the result, or restored ones.
    @inline(__always) private func store(_ carry: Bool, _ overflow: Bool, _ adjust: Bool) {
        cpu.pointee.carry = carry ? 1 : 0
        cpu.pointee.overflow = overflow ? 1 : 0
        cpu.pointee.adjust = adjust ? 1 : 0
        if cpu.pointee.kind & FlagKind.familyMask != FlagKind.restored { cpu.pointee.kind = FlagKind.stored &+ 64 }
    }
}

struct DeadFlags: FlagSink {
    let cpu: CPUPointer
    @inline(__always) init(_ cpu: CPUPointer) { self.cpu = cpu }
    @inline(__always) var carry: Bool { cpu.pointee.carryFlag }
    @inline(__always) var overflow: Bool { cpu.pointee.overflowFlag }
    @inline(__always) func set<W: Width>(_ kind: UInt64, _ result: W, _ a: W, _ b: W) {}
    @inline(__always) func set<W: Width>(_ result: W, carry: Bool, overflow: Bool, adjust: Bool) {}
    @inline(__always) func setKeepingCarry<W: Width>(_ kind: UInt64, _ result: W) {}
    @inline(__always) func set(carry: Bool, overflow: Bool) {}
    @inline(__always) func set(carry: Bool) {}
    @inline(__always) func set(all: UInt64) {}
}
