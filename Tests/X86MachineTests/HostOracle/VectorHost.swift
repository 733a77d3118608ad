#if arch(x86_64)
import Foundation

/// The processor that the tests run on, with its x87, MMX and SSE registers: executes a few bytes of code with all
/// registers given, as an FXSAVE image, and tells what they are afterwards.
///
/// Pages: code, state, and two for the memory operands of the code. The caller sees to it that the code neither faults
/// nor writes elsewhere nor changes RSP.
final class VectorHost {
    struct State: Equatable {
        /// RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15; RSP is not loaded.
        var registers: [UInt64] = Array(repeating: 0, count: 16)
        var flags: UInt64 = 2
        /// The first 416 bytes of the 64-bit FXSAVE image.
        var image: [UInt64] = Array(repeating: 0, count: 52)
    }
    let pages: UnsafeMutableRawPointer
    var codePage: UInt64 { UInt64(UInt(bitPattern: pages)) }
    var scratch: UnsafeMutableRawPointer { pages + 2 * 4096 }
    static let scratchBytes = 2 * 4096
    private(set) var codeOffset = 0
    // Offsets in the state page.
    private static let own = 0, given = 512, registers = 1024, flags = 1024 + 16 * 8

    init?() {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let p = mmap(nil, 4 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0), p != MAP_FAILED else {
            return nil
        }
        pages = p
        codeOffset = prologue().count
    }
    deinit { munmap(pages, 4 * 4096) }

    /// An instruction with a RIP-relative operand in the state page; it begins `at` bytes into the code page.
    private func relative(_ opcode: [UInt8], _ offset: Int, at: Int) -> [UInt8] {
        let displacement = Int32(4096 + offset - (at + opcode.count + 4))
        return opcode + withUnsafeBytes(of: displacement) { Array($0) }
    }
    private func move(_ n: Int, load: Bool, at: Int) -> [UInt8] {
        let rex: UInt8 = n > 7 ? 0x4c : 0x48
        return relative([rex, load ? 0x8b : 0x89, UInt8(n & 7) << 3 | 5], Self.registers + 8 * n, at: at)
    }
    private func prologue() -> [UInt8] {
        var code: [UInt8] = [0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c]
        code += relative([0x48, 0x0f, 0xae, 0x05], Self.own, at: code.count)
        code += relative([0x48, 0x0f, 0xae, 0x0d], Self.given, at: code.count)
        code += relative([0xff, 0x35], Self.flags, at: code.count) + [0x9d]
        for n in 0..<16 where n != 4 { code += move(n, load: true, at: code.count) }
        return code
    }

    func run(_ code: [UInt8], _ state: State) -> State {
        let page = pages + 4096
        let slots = (page + Self.registers).assumingMemoryBound(to: UInt64.self)
        for n in 0..<16 { slots[n] = state.registers[n] }
        slots[16] = state.flags
        let image = (page + Self.given).assumingMemoryBound(to: UInt64.self)
        for n in 0..<64 { image[n] = n < state.image.count ? state.image[n] : 0 }
        var all = prologue() + code
        for n in 0..<16 where n != 4 { all += move(n, load: false, at: all.count) }
        all += [0x9c]
        all += relative([0x8f, 0x05], Self.flags, at: all.count)
        all += relative([0x48, 0x0f, 0xae, 0x05], Self.given, at: all.count)
        all += relative([0x48, 0x0f, 0xae, 0x0d], Self.own, at: all.count)
        all += [0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3]
        precondition(all.count <= 4096)
        pages.copyMemory(from: all, byteCount: all.count)
        typealias Function = @convention(c) () -> Void
        unsafeBitCast(pages, to: Function.self)()
        var result = State()
        for n in 0..<16 { result.registers[n] = n == 4 ? state.registers[4] : slots[n] }
        result.flags = slots[16]
        for n in result.image.indices { result.image[n] = image[n] }
        return result
    }
}
#endif
