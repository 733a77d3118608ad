import X86Architecture

/// SDM 3A chapter 11 "Advanced Programmable Interrupt Controller (APIC)". A plain value.
struct LocalAPIC {
    var id: UInt32
    init(id: UInt32) { self.id = id }
}
