#if arch(x86_64)
import Foundation

/// The processor that the tests run on: executes a few bytes of code with given registers.
///
/// Pages: code, state, and two for the memory operands of the code. The caller sees to it that the code neither faults
/// nor writes elsewhere nor changes RSP.
final class HostProcessor {
    struct State: Equatable {
        /// RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15; RSP is not loaded.
        var registers: [UInt64] = Array(repeating: 0, count: 16)
        var flags: UInt64 = 2
    }
    let pages: UnsafeMutableRawPointer
    var codePage: UInt64 { UInt64(UInt(bitPattern: pages)) }
    var scratch: UnsafeMutableRawPointer { pages + 2 * 4096 }
    static let scratchBytes = 2 * 4096
    /// Where in the code page the code under test is.
    private(set) var codeOffset = 0

    init?() {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let p = mmap(nil, 4 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0), p != MAP_FAILED else {
            return nil
        }
        pages = p
        codeOffset = prologue().count
    }
    deinit { munmap(pages, 4 * 4096) }

    /// An instruction with a RIP-relative operand at `slot` of the state page; it begins `at` bytes into the code page.
    private func relative(_ opcode: [UInt8], slot: Int, at: Int) -> [UInt8] {
        let end = at + opcode.count + 4
        let displacement = Int32(4096 + slot * 8 - end)
        return opcode + withUnsafeBytes(of: displacement) { Array($0) }
    }
    private func move(_ n: Int, load: Bool, at: Int) -> [UInt8] {
        relative([0x48 | (n > 7 ? 4 : 0), load ? 0x8b : 0x89, UInt8(n & 7) << 3 | 5], slot: n, at: at)
    }
    private static let saved: [UInt8] = [0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x9c]
    private static let restored: [UInt8] = [0x9d, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3]

    private func prologue() -> [UInt8] {
        var code = Self.saved
        code += relative([0xff, 0x35], slot: 16, at: code.count) + [0x9d]
        for n in 0..<16 where n != 4 { code += move(n, load: true, at: code.count) }
        return code
    }

    func run(_ code: [UInt8], _ state: State) -> State {
        let slots = (pages + 4096).assumingMemoryBound(to: UInt64.self)
        for n in 0..<16 { slots[n] = state.registers[n] }
        slots[16] = state.flags
        var all = prologue() + code
        for n in 0..<16 where n != 4 { all += move(n, load: false, at: all.count) }
        all += [0x9c]
        all += relative([0x8f, 0x05], slot: 16, at: all.count)
        all += Self.restored
        precondition(all.count <= 4096)
        pages.copyMemory(from: all, byteCount: all.count)
        typealias Function = @convention(c) () -> Void
        unsafeBitCast(pages, to: Function.self)()
        var result = State()
        for n in 0..<16 { result.registers[n] = n == 4 ? state.registers[4] : slots[n] }
        result.flags = slots[16]
        return result
    }

    /// Flags of /proc/cpuinfo.
    static let features: Set<String> = {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("flags") } ?? ""
        return Set(line.split(separator: " ").map(String.init))
    }()
    static func has(_ feature: String) -> Bool {
        let names = ["SSE4_2": "sse4_2", "LZCNT": "abm", "CMPXCHG16B": "cx16", "SSE2": "sse2", "SSE3": "pni",
                     "SSE4_1": "sse4_1", "SHA": "sha_ni"]
        return features.contains(names[feature] ?? feature.lowercased())
    }
}
#endif
