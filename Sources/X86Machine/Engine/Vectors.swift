import CEngineState
import X86Architecture

// Values of XMM and MMX registers, as lanes.

/// 128 bits: low and high quadword.
typealias XMM = SIMD2<UInt64>

/// The same 128 bits as lanes of one of the integer types.
protocol Lanes: SIMD where Scalar: FixedWidthInteger {}
/// Element types by width; a generic SIMD type conforms to `Lanes` for the one width that makes it 128 bits.
protocol ByteLane: FixedWidthInteger {}
protocol WordLane: FixedWidthInteger {}
protocol DoublewordLane: FixedWidthInteger {}
protocol QuadwordLane: FixedWidthInteger {}
extension UInt8: ByteLane {}
extension Int8: ByteLane {}
extension UInt16: WordLane {}
extension Int16: WordLane {}
extension UInt32: DoublewordLane {}
extension Int32: DoublewordLane {}
extension UInt64: QuadwordLane {}
extension Int64: QuadwordLane {}
extension SIMD16: Lanes where Scalar: ByteLane {}
extension SIMD8: Lanes where Scalar: WordLane {}
extension SIMD4: Lanes where Scalar: DoublewordLane {}
extension SIMD2: Lanes where Scalar: QuadwordLane {}

typealias Bytes = SIMD16<UInt8>
typealias SignedBytes = SIMD16<Int8>
typealias Words = SIMD8<UInt16>
typealias SignedWords = SIMD8<Int16>
typealias Doublewords = SIMD4<UInt32>
typealias SignedDoublewords = SIMD4<Int32>
typealias SignedQuadwords = SIMD2<Int64>

extension Lanes {
    /// All of them are 16 bytes.
    @inline(__always) init(_ bits: XMM) { self = unsafeBitCast(bits, to: Self.self) }
    @inline(__always) var bits: XMM { unsafeBitCast(self, to: XMM.self) }

    /// Lane by lane.
    @inline(__always) static func each(_ f: (Int) -> Scalar) -> Self {
        var r = Self()
        for n in 0..<Self.scalarCount { r[n] = f(n) }
        return r
    }
    @inline(__always) static func each(_ a: Self, _ b: Self, _ f: (Scalar, Scalar) -> Scalar) -> Self {
        each { f(a[$0], b[$0]) }
    }
    @inline(__always) static func each(_ a: Self, _ f: (Scalar) -> Scalar) -> Self { each { f(a[$0]) } }
}

extension Processor {
    @inline(__always) private func xmmBytes(_ n: Int) -> UnsafeMutableRawPointer {
        registerBytes + StateOffset.xmm + (n & 15) * 16
    }
    @inline(__always) func xmm(_ n: Int) -> XMM { xmmBytes(n).loadUnaligned(as: XMM.self) }
    @inline(__always) func setXMM(_ n: Int, _ value: XMM) { xmmBytes(n).storeBytes(of: value, as: XMM.self) }

    /// MMn: the significand of physical x87 register n (SDM 1 9.2.2 "The MMX Technology Register Set").
    @inline(__always) func mmx(_ n: UInt8) -> UInt64 { system.fpu.significands[Int(n & 7)] }
    /// A write sets sign and exponent to all ones (SDM 3A 13.2 "The MMX State and MMX Register Aliasing").
    @inline(__always) func setMMX(_ n: UInt8, _ value: UInt64) {
        system.fpu.significands[Int(n & 7)] = value
        system.fpu.exponents[Int(n & 7)] = 0xFFFF
    }
}

/// When an instruction may use the registers: SDM 3B "Exception Conditions of Legacy SIMD Instructions Operating on MMX
/// Registers"; for XMM registers SDM 2A "AVX and Intel SSE Instruction Exception Classification".
extension Processor {
    /// What every instruction with XMM registers raises now.
    var vectorFault: Exception? {
        if system.cr0 & CR0.emulation != 0 || system.cr4 & CR4.osfxsr == 0 { return .invalidOpcode }
        return system.cr0 & CR0.taskSwitched != 0 ? .deviceNotAvailable : nil
    }
    func requireVectors() throws(Interruption) {
        if let fault = vectorFault { throw .exception(fault) }
    }
    /// Instructions with MMX registers: pending x87 exceptions come first.
    func requireMMX() throws(Interruption) {
        if system.cr0 & CR0.emulation != 0 { throw .exception(.invalidOpcode) }
        if system.cr0 & CR0.taskSwitched != 0 { throw .exception(.deviceNotAvailable) }
        try SystemInstructions.checkPendingX87(self)
    }
    /// Every MMX instruction: TOP 0, all tags valid (SDM 3A 13.2 "The MMX State and MMX Register Aliasing").
    func enterMMX() {
        turnTopForMMX()
        system.fpu.tag = 0
    }
    /// TOP alone: where a store from an MMX register faults, the tags stay as they were (measured on family 6, model
    /// CFH).
    func turnTopForMMX() { system.fpu.status &= ~0x3800 }
}
