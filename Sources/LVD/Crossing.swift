import Boot
import X86Architecture

/// What an EPTP switch means: which VMFUNC it was, and which way it went.
public enum Crossing: String, Sendable, CaseIterable {
    /// Kernel to domain through the trampoline: a call.
    case call
    /// Domain to kernel through the trampoline: the call returns.
    case callReturn
    /// Domain to kernel through the springboard: the domain calls the kernel.
    case callback
    /// Kernel to domain through the springboard: the callback returns.
    case callbackReturn
    /// Domain to kernel in the entry code of interrupts.
    case interruptEntry
    /// Kernel to domain in the exit code of interrupts.
    case interruptReturn
    /// At a VMFUNC that the kernel does not declare, or in a direction that its place does not have.
    case rogue
}

/// The VMFUNC instructions of the guest, by address.
public struct CrossingSites: Sendable {
    private enum Place { case trampoline, springboardEntry, springboardReturn, interrupt }
    private struct Site {
        var address: UInt64
        var expectedECX: UInt32
        var place: Place
    }
    /// Ascending by address.
    private let sites: [Site]

    public init(_ layout: GuestLayout) {
        sites = layout.vmFunctionSites.map { site in
            let name = layout.kernel.symbol(containing: site.address)?.symbol.name ?? ""
            let place: Place =
                switch name {
                case _ where name.hasPrefix("vmfunc_trampoline"): .trampoline
                case _ where name.hasPrefix("vmfunc_springboard_entry"): .springboardEntry
                case _ where name.hasPrefix("vmfunc_springboard_return"): .springboardReturn
                default: .interrupt
                }
            return Site(address: site.address.rawValue, expectedECX: site.expectedECX, place: place)
        }.sorted { $0.address < $1.address }
    }

    private func site(at rip: LinearAddress) -> Site? {
        var low = 0
        var high = sites.count
        while low < high {
            let middle = (low + high) / 2
            if sites[middle].address < rip.rawValue { low = middle + 1 } else { high = middle }
        }
        return low < sites.count && sites[low].address == rip.rawValue ? sites[low] : nil
    }

    public func isDeclared(_ rip: LinearAddress) -> Bool { site(at: rip) != nil }

    /// The list index that the check after this VMFUNC insists on; nil at an undeclared one, or where the index is
    /// chosen at run time.
    public func expectedIndex(_ rip: LinearAddress) -> UInt32? {
        guard let site = site(at: rip), site.expectedECX != .max else { return nil }
        return site.expectedECX
    }

    public func crossing(rip: LinearAddress, index: UInt32) -> Crossing {
        guard let site = site(at: rip), site.expectedECX == .max || site.expectedECX == index else { return .rogue }
        let toKernel = index == 0
        switch site.place {
        case .trampoline: return toKernel ? .callReturn : .call
        case .springboardEntry: return toKernel ? .callback : .rogue
        case .springboardReturn: return toKernel ? .rogue : .callbackReturn
        case .interrupt: return toKernel ? .interruptEntry : .interruptReturn
        }
    }
}
