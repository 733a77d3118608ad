import CMonitor

/// The monitor speaks for the kernel, a line an exit instead of a byte, and for itself when something is wrong.
enum Console {
    private static func put(_ byte: UInt8) {
        while port_read(0x3FD, 1) & 0x20 == 0 {}
        port_write(0x3F8, UInt32(byte), 1)
    }

    static func write(_ text: StaticString) {
        text.withUTF8Buffer { for byte in $0 { put(byte) } }
    }

    /// Text of the kernel's: lines end in a line feed there.
    static func write(memory: Range<UInt64>) {
        var at = memory.lowerBound
        while at < memory.upperBound {
            let byte = memory_read8(at)
            if byte == 10 { put(13) }
            put(byte)
            at += 1
        }
    }

    static func write(hex value: UInt64) {
        var shift: UInt64 = 64
        var started = false
        while shift > 0 {
            shift -= 4
            let digit = UInt8(truncatingIfNeeded: value >> shift & 15)
            if digit != 0 || started || shift == 0 {
                started = true
                put(digit < 10 ? 48 + digit : 87 + digit)
            }
        }
    }
}

/// Something from which there is no way on: says so, leaves the status where the host looks, ends the run.
func fatal(_ text: StaticString, _ first: UInt64 = 0, _ second: UInt64 = 0, _ third: UInt64 = 0) -> Never {
    Console.write("monitor: ")
    Console.write(text)
    Console.write(": ")
    Console.write(hex: first)
    Console.write(" ")
    Console.write(hex: second)
    Console.write(" ")
    Console.write(hex: third)
    Console.write("\r\n")
    port_write(0xF4, UInt32(LVD_STATUS_MONITOR), 4)
    while true { halt() }
}

@c(monitor_fault)
func monitorFault(vector: UInt64, error: UInt64, rip: UInt64) -> Never {
    fatal("fault in root operation (vector, error, RIP)", vector, error, rip)
}

@c(monitor_resume_failed)
func monitorResumeFailed() -> Never {
    fatal("VMRESUME failed (instruction error)", VMCS[.instructionError], VMCS[.guestRIP])
}
