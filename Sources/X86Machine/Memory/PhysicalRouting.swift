import X86Architecture

/// What a physical address reaches: RAM, the local APIC's page, the I/O APIC, or nothing (reads ones, writes are lost).
extension Machine {
    /// `from` decides whose local APIC answers. `address + size` stays within a page.
    func physicalLoad<T: FixedWidthInteger & UnsignedInteger>(
        _ address: PhysicalAddress, as: T.Type, from processor: Processor
    ) throws(Interruption) -> T {
        if processor.isLocalAPIC(address) {
            processor.cpu.pointee.cycles &+= timing.mmioAccess
            return T(truncatingIfNeeded: processor.apicLoad(offset: address.rawValue & Page.offsetMask))
        }
        if processor.ram.isRAM(address) { return processor.ram.load(address, as: T.self) }
        processor.cpu.pointee.cycles &+= timing.mmioAccess
        if let value = deviceLoad(address, size: MemoryLayout<T>.size) { return T(truncatingIfNeeded: value) }
        return T.max
    }

    func physicalStore<T: FixedWidthInteger & UnsignedInteger>(
        _ address: PhysicalAddress, _ value: T, from processor: Processor
    ) throws(Interruption) {
        if processor.isLocalAPIC(address) {
            processor.cpu.pointee.cycles &+= timing.mmioAccess
            return try processor.apicStore(offset: address.rawValue & Page.offsetMask, size: MemoryLayout<T>.size,
                                           UInt64(truncatingIfNeeded: value))
        }
        guard processor.ram.isRAM(address) else {
            processor.cpu.pointee.cycles &+= timing.mmioAccess
            return deviceStore(address, size: MemoryLayout<T>.size, UInt64(truncatingIfNeeded: value),
                               at: processor.cpu.pointee.cycles)
        }
        memory.storeUnnotified(address, value)
        pageWritten(address, size: MemoryLayout<T>.size, by: processor)
    }

    /// After a slow write to RAM: self-modified code is dropped, watched pages are reported.
    func pageWritten(_ address: PhysicalAddress, size: Int, by processor: Processor?) {
        let flags = memory.flags(ofPage: address)
        if flags == .none { return }
        if flags.contains(.code) { invalidateBlocks(page: address.page) }
        if flags.contains(.watched), let processor, eventMask.contains(.watch) {
            let rip = LinearAddress(processor.cpu.pointee.rip)
            emit(.watchedWrite(address: address, size: UInt8(clamping: size), rip: rip), processor)
        }
    }

    func invalidateBlocks(page: PhysicalAddress) {
        memory.setCode(false, page: page)
        for processor in processors { processor.engine.invalidateBlocks(physicalPage: page) }
    }
}

extension Processor {
    /// True where a fast translation entry may exist: plain RAM that is not shadowed by this processor's APIC page, nor
    /// its guest's APIC-access page.
    @inline(__always) func isPlainRAM(_ page: PhysicalAddress) -> Bool {
        ram.isRAM(page) && !isLocalAPIC(page) && !isAPICAccessPage(page)
    }
}
