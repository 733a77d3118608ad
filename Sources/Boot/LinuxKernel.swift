import DriverImage

/// The kernel a Linux module was built for: its types (BTF) and what it exports.
struct LinuxKernel {
    let path: String
    let types: BTF
    /// Nil when only types were given (a raw BTF file).
    let exports: KernelExports?

    /// Finds and reads vmlinux of `release`.
    init(release: String, module: String, option: String?) throws(ImageError) {
        let path = try Self.locate(release: release, module: module, option: option)
        self.path = path
        let contents = try FileContents(path: path)
        if BTF.isRaw(contents) {
            types = try BTF(raw: contents)
            exports = nil
            return
        }
        let vmlinux = try ELFObject(contents)
        try Self.checkRelease(vmlinux, release)
        types = try BTF(vmlinux)
        exports = try KernelExports(vmlinux)
    }

    private static func locate(release: String, module: String, option: String?) throws(ImageError) -> String {
        if let named = option ?? Folders.environment("LVDSIM_VMLINUX") { return named }
        let folder = Folders.parent(module)
        let beside = [folder + "/vmlinux", Folders.parent(folder) + "/vmlinux"]
        // Only where the folder says which kernel it holds: any vmlinux may lie beside a module.
        if let found = beside.first(where: { $0.contains("/" + release + "/") && Folders.exists($0) }) { return found }
        if let found = Folders.upward(".cache/debian/\(release)/vmlinux") { return found }
        let installed = [
            "/usr/lib/debug/boot/vmlinux-\(release)", "/usr/lib/debug/lib/modules/\(release)/vmlinux",
            "/lib/modules/\(release)/build/vmlinux",
        ]
        if let found = installed.first(where: Folders.exists) { return found }
        throw ImageError(
            .missing, file: module, at: .section(".modinfo"),
            found: "a module for Linux \(release), without its kernel",
            expected: "vmlinux of \(release), for its structure layouts (BTF)",
            hint: "scripts/fetch-debian.sh --release \(release) gets Debian's; any other: --btf or LVDSIM_VMLINUX")
    }

    /// `linux_banner` (init/version.c) begins "Linux version RELEASE (".
    private static func checkRelease(_ vmlinux: ELFObject, _ release: String) throws(ImageError) {
        guard let index = vmlinux.section(named: ".rodata"), vmlinux.sections[index].hasBytes else { return }
        let section = vmlinux.sections[index]
        if vmlinux.contents.contains("Linux version \(release) (", at: section.offset, size: section.size) { return }
        throw ImageError(
            .mismatch, file: vmlinux.file, at: .section(".rodata"), found: "a kernel that is not Linux \(release)",
            expected: "the kernel the module was built for")
    }

    /// Checks what the kernel itself checks before it takes a module: CRCs of imports, size of `struct module`.
    func check(_ module: ModuleMetadata, file: String) throws(ImageError) {
        try exports?.check(module, file: file, kernel: path)
        guard let this = module.thisModule else { return }
        let size = try types.size(of: "struct module")
        guard this.size == size else {
            throw ImageError(
                .mismatch, file: file, at: .section(".gnu.linkonce.this_module"), found: "\(this.size) bytes",
                expected: "\(size), the size of struct module in \(path)")
        }
    }

    /// The value of an ABI slot: `struct.field` a byte offset, `sizeof struct` a size.
    func value(ofSlot name: String) throws(ImageError) -> UInt32 {
        let value: UInt64
        if name.hasPrefix("sizeof ") {
            value = try types.size(of: "struct " + name.dropFirst(7))
        } else {
            let location = try types.offset(of: "struct " + name)
            guard let bytes = location.byteOffset, location.bitFieldWidth == nil else {
                throw ImageError(
                    .mismatch, file: path, at: .member(name), found: "a bit-field", expected: "a member on a byte")
            }
            value = bytes
        }
        guard let narrow = UInt32(exactly: value) else {
            throw ImageError(.malformed, file: path, at: .member(name), found: "\(value)", expected: "32 bits")
        }
        return narrow
    }
}
