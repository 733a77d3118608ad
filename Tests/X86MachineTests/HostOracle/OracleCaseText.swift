import Foundation
import X86Decoder

/// A case as a text file: "name value" lines, numbers in hexadecimal. What the file leaves out has its default.
extension OracleCase {
    private static let registerNames = [
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    ]
    private static let sizeNames: [CodeSize: String] = [.bits16: "16", .bits32: "32", .bits64: "64"]

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    private static func bytes(_ text: Substring) -> [UInt8] {
        let digits = Array(text.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16) ?? 0
        }
    }

    /// The state before, without memory, in one line.
    var summary: String {
        let named = (0..<(size == .bits64 ? 16 : 8)).map { (Self.registerNames[$0], registers[$0]) }
        let control = [("rflags", flags), ("fcw", fx[0] & 0xFFFF), ("fsw", fx[0] >> 16 & 0xFFFF),
                       ("valid", fx[0] >> 32 & 0xFF), ("mxcsr", fx[3] & 0xFFFF_FFFF)]
        return "before: " + (named + control).map { "\($0.0) \(String($0.1, radix: 16))" }.joined(separator: ", ")
    }

    func text(comment: [String]) -> String {
        var lines = comment.map { "# \($0)" }
        func add(_ name: String, _ value: UInt64) { lines.append("\(name) \(String(value, radix: 16))") }
        lines.append("mode \(Self.sizeNames[size] ?? "64")")
        lines.append("code \(Self.hex(bytes))")
        add("at", UInt64(at))
        for n in 0..<16 { add(Self.registerNames[n], registers[n]) }
        add("rflags", flags)
        add("fsbase", fsBase)
        add("gsbase", gsBase)
        add("memory", memorySeed)
        for n in 0..<2 { lines.append("patch \(String(patchAt[n], radix: 16)) \(Self.hex(patches[n]))") }
        for n in 0..<52 where fx[n] != Self.plainFX[n] { lines.append("fx \(n) \(String(fx[n], radix: 16))") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Nil: not the text of a case.
    init?(text: String) {
        self.init()
        var patch = 0
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard words.count >= 2 else { return nil }
            let value = UInt64(words[words.count - 1], radix: 16) ?? 0
            switch words[0] {
            case "mode": size = Self.sizeNames.first { $0.value == words[1] }?.key ?? .bits64
            case "code": bytes = Self.bytes(words[1])
            case "at": at = Int(value)
            case "rflags": flags = value
            case "fsbase": fsBase = value
            case "gsbase": gsBase = value
            case "memory": memorySeed = value
            case "patch":
                guard patch < 2, words.count == 3, let offset = Int(words[1], radix: 16) else { return nil }
                patchAt[patch] = offset
                patches[patch] = Self.bytes(words[2])
                patch += 1
            case "fx":
                guard words.count == 3, let n = Int(words[1]), n < 64 else { return nil }
                fx[n] = value
            default:
                guard let n = Self.registerNames.firstIndex(of: String(words[0])) else { return nil }
                registers[n] = value
            }
        }
        if bytes.isEmpty { return nil }
    }
}
