import X86Architecture
import X86Machine

/// The tables by which software finds processors, interrupt controllers, power-off and reset.
/// ACPI Specification 6.5, 5.2 "ACPI System Description Tables".
public enum ACPITables {
    /// Where the root pointer is: in the BIOS read-only area that software searches (5.2.5.1), reserved in memory maps.
    public static let rootPointer: UInt64 = 0xF_0000

    /// Puts the tables into the memory of a machine that has not run.
    public static func install(into machine: Machine) {
        let facs = Placed(at: rootPointer + 0x40, facs())
        let dsdt = Placed(after: facs, table("DSDT", revision: 2, sleepStates))
        let fadt = Placed(after: dsdt, fadt(facs: facs.address, dsdt: dsdt.address))
        let madt = Placed(after: fadt, madt(processors: machine.configuration.processorCount))
        let tables = [fadt.address, madt.address]
        let rsdt = Placed(after: madt, directory("RSDT", tables, entryBytes: 4))
        let xsdt = Placed(after: rsdt, directory("XSDT", tables, entryBytes: 8))
        let root = Placed(at: rootPointer, rootPointer(rsdt: rsdt.address, xsdt: xsdt.address))
        for part in [root, facs, dsdt, fadt, madt, rsdt, xsdt] {
            machine.writePhysical(part.bytes, at: PhysicalAddress(part.address))
        }
    }

    private struct Placed {
        var address: UInt64
        var bytes: [UInt8]
        init(at address: UInt64, _ bytes: [UInt8]) { self.address = address; self.bytes = bytes }
        init(after other: Placed, _ bytes: [UInt8]) {
            self.init(at: (other.address + UInt64(other.bytes.count) + 63) & ~63, bytes)
        }
    }

    /// 5.2.5.3 "Root System Description Pointer (RSDP) Structure".
    private static func rootPointer(rsdt: UInt64, xsdt: UInt64) -> [UInt8] {
        var t = TableBytes(count: 36)
        t.set("RSD PTR ", at: 0)
        t.set("LVDSIM", at: 9)
        t.set(2, 1, at: 15)
        t.set(rsdt, 4, at: 16)
        t.set(36, 4, at: 20)
        t.set(xsdt, 8, at: 24)
        t.setChecksum(at: 8, of: 0..<20)
        t.setChecksum(at: 32, of: 0..<36)
        return t.bytes
    }

    /// 5.2.6 "System Description Table Header", and a body.
    private static func table(_ signature: String, revision: UInt64, _ body: [UInt8]) -> [UInt8] {
        var t = TableBytes(count: 36)
        t.set(signature, at: 0)
        t.set(UInt64(36 + body.count), 4, at: 4)
        t.set(revision, 1, at: 8)
        t.set("LVDSIM", at: 10)
        t.set("LVDSIM", at: 16)
        t.set(1, 4, at: 24)
        t.set("LVDS", at: 28)
        t.set(1, 4, at: 32)
        t.bytes += body
        t.setChecksum(at: 9, of: 0..<t.bytes.count)
        return t.bytes
    }

    /// 5.2.7 "Root System Description Table (RSDT)", 5.2.8 "Extended System Description Table (XSDT)".
    private static func directory(_ signature: String, _ tables: [UInt64], entryBytes: Int) -> [UInt8] {
        var body = TableBytes()
        for address in tables { body.append(address, entryBytes) }
        return table(signature, revision: 1, body.bytes)
    }

    /// 5.2.10 "Firmware ACPI Control Structure (FACS)".
    private static func facs() -> [UInt8] {
        var t = TableBytes(count: 64)
        t.set("FACS", at: 0)
        t.set(64, 4, at: 4)
        t.set(1, 1, at: 32)
        return t.bytes
    }

    /// 7.4.2 "Sleeping States", 20.2 "AML Grammar Definition": Name (_S5, Package (4) {5, 5, 0, 0}).
    private static let sleepStates: [UInt8] = [
        0x08, 0x5F, 0x53, 0x35, 0x5F, 0x12, 0x08, 0x04,
        0x0A, PowerManagementPorts.softOff, 0x0A, PowerManagementPorts.softOff, 0x00, 0x00,
    ]

    /// 5.2.9 "Fixed ACPI Description Table (FADT)", revision 4.
    private static func fadt(facs: UInt64, dsdt: UInt64) -> [UInt8] {
        /// Offsets below count from the start of the table; the body begins behind the header.
        var t = TableBytes(count: 244 - 36)
        func field(_ value: UInt64, _ size: Int, _ offset: Int) { t.set(value, size, at: offset - 36) }
        /// 5.2.3.2 "Generic Address Structure": system I/O space.
        func address(_ port: UInt16, bits: UInt64, access: UInt64, _ offset: Int) {
            field(1, 1, offset)
            field(bits, 1, offset + 1)
            field(access, 1, offset + 3)
            field(UInt64(port), 8, offset + 4)
        }
        field(facs, 4, 36)
        field(dsdt, 4, 40)
        field(4, 1, 45)  // enterprise server
        field(9, 2, 46)  // SCI
        field(UInt64(PowerManagementPorts.event), 4, 56)
        field(UInt64(PowerManagementPorts.control), 4, 64)
        field(UInt64(PowerManagementPorts.timer), 4, 76)
        field(4, 1, 88)
        field(2, 1, 89)
        field(4, 1, 91)
        // Latencies above 100 and 1000: no C2, no C3.
        field(0xFFFF, 2, 96)
        field(0xFFFF, 2, 98)
        field(0x32, 1, 108)  // the clock's century
        field(1 << 0 | 1 << 2, 2, 109)  // legacy devices; no VGA
        // WBINVD, C1 on every processor, no fixed power or sleep button, 32-bit timer, reset register.
        field(1 << 0 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 10, 4, 112)
        address(0xCF9, bits: 8, access: 1, 116)
        field(6, 1, 128)
        field(facs, 8, 132)
        field(dsdt, 8, 140)
        address(PowerManagementPorts.event, bits: 32, access: 2, 148)
        address(PowerManagementPorts.control, bits: 16, access: 2, 172)
        address(PowerManagementPorts.timer, bits: 32, access: 3, 208)
        return table("FACP", revision: 4, t.bytes)
    }

    /// 5.2.12 "Multiple APIC Description Table (MADT)".
    private static func madt(processors: Int) -> [UInt8] {
        var t = TableBytes()
        t.append(0xFEE0_0000, 4)
        t.append(1, 4)  // PCAT_COMPAT: the 8259 pair is there, too
        func entry(_ type: UInt64, _ fields: (value: UInt64, size: Int)...) {
            t.append(type, 1)
            t.append(UInt64(2 + fields.reduce(0) { $0 + $1.size }), 1)
            for field in fields { t.append(field.value, field.size) }
        }
        for id in 0..<UInt64(processors) { entry(0, (id, 1), (id, 1), (1, 4)) }
        entry(1, (UInt64(processors), 1), (0, 1), (0xFEC0_0000, 4), (0, 4))
        // ISA interrupt 0 is input 2; the SCI is level-triggered, active high.
        entry(2, (0, 1), (0, 1), (2, 4), (0, 2))
        entry(2, (0, 1), (9, 1), (9, 4), (0xD, 2))
        // LINT1 of every processor is NMI.
        entry(4, (0xFF, 1), (0, 2), (1, 1))
        return table("APIC", revision: 3, t.bytes)
    }
}
