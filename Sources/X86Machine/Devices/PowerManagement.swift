/// Where the registers of `PowerManagement` are, for the tables that tell software.
public enum PowerManagementPorts {
    public static let event: UInt16 = 0x600, control: UInt16 = 0x604, timer: UInt16 = 0x608
    /// SLP_TYP of S5.
    public static let softOff: UInt8 = 5
}

/// The fixed hardware of an ACPI PC: PM1 event and control registers and the power-management timer.
/// ACPI Specification 6.5, 4.8 "ACPI Register Model". No event source is modelled: the SCI never rises.
struct PowerManagement {
    /// 4.8.3.3 "Power Management Timer": Hz.
    static let timerFrequency: UInt64 = 3_579_545
    private var enable: UInt16 = 0
    /// SCI_EN is always set: there is no legacy mode and no SMI command port.
    private var control: UInt16 = 1

    static func timer(at cycle: UInt64, cyclesPerSecond: UInt64) -> UInt32 {
        let product = cycle.multipliedFullWidth(by: timerFrequency)
        guard product.high < cyclesPerSecond else { return 0 }
        return UInt32(truncatingIfNeeded: cyclesPerSecond.dividingFullWidth(product).quotient)
    }

    func read(_ port: UInt16, at cycle: UInt64, cyclesPerSecond: UInt64) -> UInt8 {
        let value: UInt32
        switch port {
        case PowerManagementPorts.event...PowerManagementPorts.event + 1: value = 0
        case PowerManagementPorts.event + 2...PowerManagementPorts.event + 3: value = UInt32(enable)
        case PowerManagementPorts.control...PowerManagementPorts.control + 1: value = UInt32(control)
        default: value = Self.timer(at: cycle, cyclesPerSecond: cyclesPerSecond)
        }
        let byte = port < PowerManagementPorts.timer ? port & 1 : port & 3
        return UInt8(truncatingIfNeeded: value >> UInt32(8 * byte))
    }

    enum Effect: Equatable { case none, powerOff, notModelled(String) }

    mutating func write(_ port: UInt16, _ value: UInt8) -> Effect {
        let shift = UInt16(8 * (port & 1))
        func replaced(_ old: UInt16) -> UInt16 { old & ~(0xFF << shift) | UInt16(value) << shift }
        switch port {
        case PowerManagementPorts.event + 2...PowerManagementPorts.event + 3:
            enable = replaced(enable)
            // TMR_EN: the only event whose source would be here.
            return enable & 1 != 0 ? .notModelled("interrupts of the ACPI power-management timer") : .none
        case PowerManagementPorts.control...PowerManagementPorts.control + 1:
            let new = replaced(control)
            // SLP_EN is write-only; SLP_TYP is in bits 12:10.
            control = new & 0x1C03 | 1
            guard new & 1 << 13 != 0 else { return .none }
            let type = UInt8(truncatingIfNeeded: new >> 10 & 7)
            return type == PowerManagementPorts.softOff ? .powerOff : .notModelled("ACPI sleep type \(type)")
        default:
            return .none
        }
    }
}
