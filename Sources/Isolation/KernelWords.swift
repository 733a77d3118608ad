import LVD
import X86Architecture
import X86Machine

/// Words of the kernel's memory by linear address. Its image and its direct map never move, so that a page is looked up
/// once.
struct KernelWords: Sendable {
    private var pages: [UInt64: PhysicalAddress] = [:]

    /// nil where the kernel maps nothing.
    mutating func physical(_ linear: UInt64, in view: AddressView, _ machine: MachineView) -> PhysicalAddress? {
        let page = linear & ~Page.offsetMask
        if pages[page] == nil {
            var reader = TranslationReader(machine)
            pages[page] = reader.translate(page, in: view)?.physical
        }
        return pages[page].map { $0 + (linear & Page.offsetMask) }
    }
    mutating func word(_ linear: UInt64, in view: AddressView, _ machine: MachineView) -> UInt64? {
        physical(linear, in: view, machine).map { machine.word(at: $0) }
    }
}
