import DriverImage

/// A driver image as the user gave it, read and checked as far as it goes without the rest of the system.
struct DriverInput {
    /// First word of `vermagic` in modules built against the guest system's own headers: Sources/Guest/include/linux.
    static let ownRelease = "lvdsim"

    let object: ELFObject
    let metadata: ModuleMetadata
    let name: String
    /// The kernel it was built for; nil: the guest system's own headers.
    let linuxRelease: String?

    init(path: String) throws(ImageError) {
        object = try ELFObject(path: path)
        metadata = try ModuleMetadata(object)
        name = metadata.name ?? Self.name(ofFile: path)
        guard object.kind == .relocatable else {
            throw ImageError(
                .unsupported, file: path, at: .file, found: "an ELF \(object.kind) file",
                expected: "a relocatable kernel module (.ko)")
        }
        guard name.utf8.count <= 63, !name.isEmpty, name.utf8.allSatisfy(Self.isNameByte) else {
            throw ImageError(
                .malformed, file: path, at: .section(".modinfo"), found: "the module name \(name.debugDescription)",
                expected: "1 to 63 letters, digits, - and _")
        }
        guard let release = metadata.kernelRelease else {
            throw ImageError(
                .unsupported, file: path, at: .section(".modinfo"), found: "no vermagic",
                expected: "the kernel release the module was built for",
                hint: "it decides the layout of every structure the driver shares with its kernel")
        }
        linuxRelease = release == Self.ownRelease ? nil : release
        guard metadata.thisModule?.initOffset != nil else {
            throw ImageError(
                .unsupported, file: path, at: .section(".gnu.linkonce.this_module"), found: "no init_module",
                expected: "a module with an init function")
        }
    }

    /// For a module that does not say its name: its file's, with `_` for what a name cannot hold.
    private static func name(ofFile path: String) -> String {
        let file = path.split(separator: "/").last ?? "driver"
        let stem = file.hasSuffix(".ko") ? file.dropLast(3) : file
        return String(decoding: stem.utf8.prefix(63).map { isNameByte($0) ? $0 : UInt8(ascii: "_") }, as: UTF8.self)
    }

    /// The name becomes a word of the guest's command line.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    static func read(_ paths: [String]) throws(ImageError) -> [DriverInput] {
        var inputs: [DriverInput] = []
        for path in paths {
            guard inputs.count < DriverPlacement.maximumCount else {
                throw ImageError(
                    .unsupported, file: path, at: .file, found: "driver number \(inputs.count + 1)",
                    expected: "at most \(DriverPlacement.maximumCount)")
            }
            inputs.append(try DriverInput(path: path))
        }
        return inputs
    }

    /// The Linux kernel all inputs were built for, nil when it is the guest system's own headers; every input is
    /// checked against it.
    static func kernel(of inputs: [DriverInput], option: String?) throws(ImageError) -> LinuxKernel? {
        guard let first = inputs.first else { return nil }
        for input in inputs where input.linuxRelease != first.linuxRelease {
            throw ImageError(
                .mismatch, file: input.object.file, at: .section(".modinfo"),
                found: "a module for \(input.linuxRelease ?? ownRelease)",
                expected: "\(first.linuxRelease ?? ownRelease), as \(first.object.file)",
                hint: "one guest kernel has one layout of its structures")
        }
        guard let release = first.linuxRelease else { return nil }
        let kernel = try LinuxKernel(release: release, module: first.object.file, option: option)
        for input in inputs { try kernel.check(input.metadata, file: input.object.file) }
        return kernel
    }
}
