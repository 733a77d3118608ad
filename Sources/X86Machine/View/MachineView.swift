import X86Architecture

/// What observers, LVD, Isolation and Reports see: reads only, and no read has a side effect.
public struct MachineView {
    unowned let machine: Machine
    init(_ machine: Machine) { self.machine = machine }

    public var processorCount: Int { machine.processors.count }
    public var statistics: Statistics { machine.statistics }
    public var configuration: MachineConfiguration { machine.configuration }

    // MARK: Memory

    public func isRAM(_ address: PhysicalAddress) -> Bool { machine.memory.isRAM(address) }

    /// RAM as it is, any alignment; bytes outside RAM read as ones.
    public func readPhysical<T: FixedWidthInteger & UnsignedInteger>(_ address: PhysicalAddress, as: T.Type) -> T {
        machine.memory.load(address, as: T.self)
    }
    /// The same, not generic: for those who read many words.
    public func word(at address: PhysicalAddress) -> UInt64 { machine.memory.load(address, as: UInt64.self) }
    public func readPhysical(_ address: PhysicalAddress, count: Int) -> [UInt8] {
        machine.readPhysical(address, count: count)
    }

    /// Memory as a processor sees it through its paging structures (and EPT) now; nil where nothing is mapped.
    public func readLinear<T: FixedWidthInteger & UnsignedInteger>(
        _ address: LinearAddress, as: T.Type, processor: Int
    ) -> T? {
        guard let bytes = readLinear(address, count: MemoryLayout<T>.size, processor: processor) else { return nil }
        return bytes.reversed().reduce(0) { $0 << 8 | T($1) }
    }
    public func readLinear(_ address: LinearAddress, count: Int, processor: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var at = address
        while bytes.count < count {
            guard let physical = peek(at, processor: processor) else { return nil }
            let inPage = min(count - bytes.count, Int(Page.size - at.rawValue % Page.size))
            bytes += machine.readPhysical(physical, count: inPage)
            at = at + UInt64(inPage)
        }
        return bytes
    }
}

extension Machine {
    public var view: MachineView { MachineView(self) }

    /// Copies bytes into RAM, as a loader does before a run; bytes outside RAM are lost. Translated code is dropped.
    public func writePhysical(_ bytes: [UInt8], at address: PhysicalAddress) {
        var done = 0
        while done < bytes.count {
            let at = address + UInt64(done)
            let inPage = Int(at.rawValue & Page.offsetMask)
            let count = min(bytes.count - done, Int(Page.size) - inPage)
            if let page = memory.hostAddress(of: at), let frame = memory.frame(of: at) {
                memory.beforeWrite(frame: frame)
                bytes.withUnsafeBytes { source in
                    (page + inPage).copyMemory(from: source.baseAddress! + done, byteCount: count)
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
        while bytes.count < count {
            let at = address + UInt64(bytes.count)
            let inPage = Int(at.rawValue & Page.offsetMask)
            let part = min(count - bytes.count, Int(Page.size) - inPage)
            if let page = memory.hostAddress(of: at) {
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: page + inPage, count: part))
            } else {
                bytes.append(contentsOf: repeatElement(0xFF, count: part))
            }
        }
        return bytes
    }

    // MARK: Watching

    /// Writes to the page that contains `address`, by instructions or by page walks, are reported as `.watchedWrite`.
    /// Writes by `writePhysical` are not.
    public func watch(page address: PhysicalAddress) { setWatched(true, address) }
    public func unwatch(page address: PhysicalAddress) { setWatched(false, address) }

    private func setWatched(_ on: Bool, _ address: PhysicalAddress) {
        guard let frame = memory.frame(of: address) else { return }
        memory.setFlag(.watched, on, frame: frame)
        for processor in processors { processor.flushFast() }
    }
}
