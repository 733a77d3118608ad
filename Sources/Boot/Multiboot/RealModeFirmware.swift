import X86Architecture
import X86Machine

/// What real-address mode finds of a PC's firmware: interrupt vectors, the data area, and a handler that counts the
/// ticks of the timer. No services: every other vector leads to an IRET.
///
/// Multiboot leaves interrupt controllers and vectors as the firmware before it had them; images that go back to
/// real-address mode use them.
enum RealModeFirmware {
    private static let segment: UInt64 = 0xF000
    /// The places of the original PC's firmware.
    private static let timerHandler: UInt64 = 0xFEA5, emptyHandler: UInt64 = 0xFF53

    static func install(into machine: Machine) {
        var vectors: [UInt8] = []
        for vector in 0..<256 {
            let offset = vector == 8 ? timerHandler : emptyHandler
            vectors += [UInt8(offset & 0xFF), UInt8(offset >> 8), UInt8(segment & 0xFF), UInt8(segment >> 8)]
        }
        machine.writePhysical(vectors, at: PhysicalAddress(0))
        machine.writePhysical(countTick, at: PhysicalAddress(segment << 4 + timerHandler))
        machine.writePhysical([0xCF], at: PhysicalAddress(segment << 4 + emptyHandler))
        // The data area: the first serial port, the extended data area, KiB of conventional memory.
        let extended = FirmwareMemoryMap.conventionalEnd >> 4, kilobytes = FirmwareMemoryMap.conventionalEnd >> 10
        for (at, value) in [(0x400, 0x3F8), (0x40E, extended), (0x413, kilobytes)] as [(UInt64, UInt64)] {
            machine.writePhysical([UInt8(value & 0xFF), UInt8(value >> 8)], at: PhysicalAddress(at))
        }
        machine.startFirmwareTimer()
    }

    /// IRQ 0, 18.2 times a second: 40:6C counts the ticks of a day, 40:70 the days; INT 1CH is the user's.
    private static let countTick: [UInt8] = [
        0x1E, 0x50,                                            // push ds; push ax
        0xB8, 0x40, 0x00, 0x8E, 0xD8,                          // mov ds, 40h
        0x66, 0xFF, 0x06, 0x6C, 0x00,                          // inc dword [6Ch]
        0x66, 0x81, 0x3E, 0x6C, 0x00, 0xB0, 0x00, 0x18, 0x00,  // cmp dword [6Ch], 1800B0h
        0x72, 0x0D,                                            // jb
        0x66, 0xC7, 0x06, 0x6C, 0x00, 0x00, 0x00, 0x00, 0x00,  // mov dword [6Ch], 0
        0xFE, 0x06, 0x70, 0x00,                                // inc byte [70h]
        0xCD, 0x1C,                                            // int 1Ch
        0xB0, 0x20, 0xE6, 0x20,                                // out 20h, 20h: end of interrupt
        0x58, 0x1F, 0xCF,                                      // pop ax; pop ds; iret
    ]
}
