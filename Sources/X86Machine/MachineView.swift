import X86Architecture

/// What observers, LVD, Isolation and Reports see: reads only, and no read has a side effect.
public struct MachineView {
    unowned let machine: Machine
    init(_ machine: Machine) { self.machine = machine }

    public var processorCount: Int { machine.processors.count }
    public var statistics: Statistics { machine.statistics }

    /// RAM as it is; bytes outside RAM read as ones.
    public func readPhysical<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, as: T.Type) -> T {
        machine.memory.load(address, as: T.self)
    }
}

extension Machine {
    public var view: MachineView { MachineView(self) }

    /// Copies bytes into RAM, as a loader does before a run; bytes outside RAM are lost. Translated code is dropped.
    public func writePhysical(_ bytes: [UInt8], at address: PhysicalAddress) {
        var done = 0
        while done < bytes.count {
            let at = address + UInt64(done)
            let count = min(bytes.count - done, Int(Page.size - at.rawValue % Page.size))
            if let page = memory.hostAddress(of: at), let frame = memory.frame(of: at) {
                memory.beforeWrite(frame: frame)
                bytes.withUnsafeBytes { source in
                    (page + Int(at.rawValue % Page.size)).copyMemory(from: source.baseAddress! + done, byteCount: count)
                }
                pageWritten(at, size: count, by: nil)
            }
            done += count
        }
    }

    /// Copies bytes out of RAM; bytes outside RAM read as ones.
    public func readPhysical(_ address: PhysicalAddress, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for i in 0..<count { bytes.append(memory.load(address + UInt64(i), as: UInt8.self)) }
        return bytes
    }
}
