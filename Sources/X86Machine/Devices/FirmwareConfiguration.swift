/// The firmware-configuration port pair 0x510 (16-bit selector) and 0x511 (data) of paravirtual PCs, as far as
/// bare-metal test images read it: number of processors and RAM size. Every other item is empty and reads zeros.
struct FirmwareConfiguration {
    private let processorCount: UInt16
    private let memoryBytes: UInt64
    private var item: UInt16 = 0
    private var offset: UInt64 = 0

    init(_ configuration: MachineConfiguration) {
        processorCount = UInt16(clamping: configuration.processorCount)
        memoryBytes = configuration.memoryBytes
    }

    mutating func select(_ value: UInt16) {
        item = value
        offset = 0
    }

    mutating func read() -> UInt8 {
        let (value, size): (UInt64, UInt64) = switch item {
        case 0x03: (memoryBytes, 8)
        case 0x05: (UInt64(processorCount), 2)
        default: (0, 0)
        }
        defer { offset &+= 1 }
        return offset < size ? UInt8(truncatingIfNeeded: value >> (8 * offset)) : 0
    }
}
