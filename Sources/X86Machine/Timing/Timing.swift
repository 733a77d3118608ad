/// Costs in core cycles of one microarchitecture: integers, each with its source.
///
/// "LVD" is V. Narayanan et al., "Lightweight Kernel Isolation with Virtualization and VM Functions", VEE'20,
/// measured on Xeon E5-2660 v3 (Haswell-EP).
public struct Timing: Sendable, Equatable {
    /// VMFUNC leaf 0, complete: LVD Table 1.
    public var vmfunc: UInt64 = 169

    public static let haswell = Timing()
}
