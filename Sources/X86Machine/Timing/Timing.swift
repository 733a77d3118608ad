/// Dynamic costs in core cycles of one microarchitecture: what an instruction costs beyond its entry in
/// `InstructionCost`, and what happens between instructions. Integers, each with its source.
///
/// - "LVD": V. Narayanan et al., "Lightweight Kernel Isolation with Virtualization and VM Functions", VEE'20,
///   measured on a Xeon E5-2660 v3 (Haswell-EP, 2.6 GHz).
/// - "Fog": A. Fog, "Instruction tables", section Haswell.
/// - "ORM": Intel 64 and IA-32 Architectures Optimization Reference Manual, section Haswell.
/// - "split": no source for the part; chosen so that the published whole comes out.
public struct Timing: Sendable, Equatable {
    // MARK: VMX

    /// VMFUNC leaf 0, complete (its `InstructionCost` is 0). LVD Table 1.
    public var vmfunc: UInt64 = 169
    /// VM exit: guest state saved, host state loaded. Split: an intercepted WRMSR costs 1240 more than a native one
    /// (1367 - 127), OUT 1171 more (LVD Table 2); of that about 100 are the monitor's own instructions.
    public var vmExit: UInt64 = 640
    /// VM entry: checks, guest state loaded. Split, see `vmExit`.
    public var vmEntry: UInt64 = 460

    // MARK: Translation

    /// One level of a guest page walk that finds its entry in the caches: an L2 hit on average is 11 to 12 cycles, an
    /// L1 hit 4 (ORM 2.4.5.1 "Load and Store Operation Enhancements"); paging-structure caches skip upper levels.
    /// Approximated.
    public var guestWalkLevel: UInt64 = 7
    /// One level of the EPT walk that each guest entry and the final address need. Approximated as above; nested
    /// paging-structure caches hide most of it.
    public var eptWalkLevel: UInt64 = 2
    /// A translation that the first-level TLB lacks and the second-level TLB has. ORM: 7 cycles.
    public var secondLevelTLB: UInt64 = 7

    // MARK: Control registers

    /// MOV to CR0, CR3 or CR4, beyond its one static cycle. LVD Table 2: MOV CR3 130; the others serialise likewise.
    public var controlRegisterWrite: UInt64 = 129
    /// MOV to CR8, which stays in the core. Approximated.
    public var taskPriorityWrite: UInt64 = 19

    // MARK: Interrupts and exceptions

    /// Delivery through an interrupt gate without a change of stack. Split: INT n with a minimal handler and IRET is
    /// 607 in all (LVD Table 3), of it IRET and the handler's instructions.
    public var interruptDelivery: UInt64 = 290
    /// IRET in 64-bit mode. Split, see `interruptDelivery`.
    public var interruptReturn: UInt64 = 250
    /// Delivery on an IST stack: 666 - 607. LVD Table 3.
    public var istSwitch: UInt64 = 59
    /// The acknowledge cycle with the local APIC of an external interrupt. Approximated.
    public var interruptAcknowledge: UInt64 = 20

    // MARK: Devices

    /// IN or OUT that reaches the bus. LVD Table 2: OUT 4213.
    public var portAccess: UInt64 = 4213
    /// A load or store of an uncached device register. Approximated: a transaction to the local APIC's page stays
    /// on the die.
    public var mmioAccess: UInt64 = 60
    /// Core cycles per tick of the APIC timer's input clock: 100 MHz bus clock at 2.6 GHz (SDM 3A 11.5.4 "APIC Timer").
    public var apicTimerTick: UInt64 = 26

    // MARK: Strings

    /// Start of a REP string instruction that runs as microcode. Fog: REP MOVS about 2n + 20.
    public var repeatStart: UInt64 = 20

    public static let haswell = Timing()
}
