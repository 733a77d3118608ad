import CHostProcessor
import X86Decoder

/// One instruction with everything it can depend on. A value that a text file holds whole (`OracleCaseText`).
struct OracleCase: Equatable {
    var bytes: [UInt8] = []
    var size = CodeSize.bits64
    /// Where the instruction begins, as an offset from HOST_CODE.
    var at = 0
    var registers = [UInt64](repeating: 0, count: 16)
    var flags: UInt64 = 0x202
    var fsBase: UInt64 = 0
    var gsBase: UInt64 = 0
    /// Seeds what the data pages hold besides the patches.
    var memorySeed: UInt64 = 1
    /// Two runs of HOST_PATCH bytes, as offsets into the data pages.
    var patchAt = [0, 0]
    var patches = [[UInt8]](repeating: [UInt8](repeating: 0, count: Int(HOST_PATCH)), count: 2)
    /// FXSAVE64 image, as quadwords.
    var fx = OracleCase.plainFX

    /// FNINIT's x87 state and the power-on MXCSR.
    static let plainFX: [UInt64] = {
        var fx = [UInt64](repeating: 0, count: 64)
        fx[0] = 0x37F
        fx[3] = 0x1F80
        return fx
    }()

    static let code = UInt64(HOST_CODE), data = UInt64(HOST_DATA), dataBytes = UInt64(HOST_DATA_BYTES)

    /// RIP is relative to the code segment's base, which the 16-bit segment has at HOST_CODE.
    var rip: UInt64 { (size == .bits16 ? 0 : Self.code) + UInt64(at) }
    var selector: UInt16 {
        switch size {
        case .bits64: UInt16(HOST_CS64)
        case .bits32: UInt16(HOST_CS32)
        case .bits16: UInt16(HOST_CS16)
        }
    }

    /// The data pages of a seed.
    static func memory(seed: UInt64) -> [UInt8] {
        var r = SplitMix(seed: seed &+ 0x6d65_6d)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(HOST_DATA_BYTES))
        while bytes.count < Int(HOST_DATA_BYTES) { bytes += littleEndian(r.operand()) }
        return bytes
    }

    func write(to host: UnsafeMutablePointer<HostCase>) {
        host.pointee.rip = rip
        host.pointee.flags = flags
        host.pointee.fsBase = fsBase
        host.pointee.gsBase = gsBase
        host.pointee.cs = UInt32(selector)
        host.pointee.patchAt = (UInt32(patchAt[0]), UInt32(patchAt[1]))
        withUnsafeMutableBytes(of: &host.pointee.regs) { registers.withUnsafeBytes($0.copyMemory) }
        withUnsafeMutableBytes(of: &host.pointee.patch.0) { patches[0].withUnsafeBytes($0.copyMemory) }
        withUnsafeMutableBytes(of: &host.pointee.patch.1) { patches[1].withUnsafeBytes($0.copyMemory) }
        withUnsafeMutableBytes(of: &host.pointee.fx) { fx.withUnsafeBytes($0.copyMemory) }
    }
}

func littleEndian(_ value: UInt64, bytes: Int = 8) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}
