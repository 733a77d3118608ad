/// The signature a kernel build appends to a module, behind the ELF file: data, `struct module_signature`
/// (include/linux/module_signature.h), magic. It is recognised and not verified: whether to trust a driver is not this
/// tool's question, and the ELF file in front of it is complete without it.
public struct ModuleSignature: Sendable, Equatable {
    /// Bytes of the PKCS#7 message.
    public var byteCount: Int
    /// Bytes of the ELF file in front of it.
    public var contentByteCount: Int

    static let magic = Array("~Module signature appended~\n".utf8)
    static let trailerSize = 12

    /// Nil when the file carries none.
    init?(_ contents: FileContents) throws(ImageError) {
        let magicStart = contents.count - Self.magic.count
        guard magicStart >= 0, contents.bytes(magicStart..<contents.count) == Self.magic else { return nil }
        let trailerStart = magicStart - Self.trailerSize
        guard trailerStart >= 0 else {
            throw ImageError(
                .malformed, file: contents.name, at: .fileOffset(UInt64(magicStart)),
                found: "a signature magic with nothing before it", expected: "a module and its signature")
        }
        // sig_len is the one big-endian field of the format.
        let length = Int(contents.integer(at: trailerStart + 8, as: UInt32.self).byteSwapped)
        guard length <= trailerStart else {
            throw ImageError(
                .malformed, file: contents.name, at: .fileOffset(UInt64(trailerStart + 8)),
                found: "a signature of \(length) bytes", expected: "at most the \(trailerStart) bytes before it")
        }
        byteCount = length
        contentByteCount = trailerStart - length
    }
}
