/// Small registers of a PC's chipset: ports 0x61, 0x64, 0x92, 0xCF9, 0x80, and the test device's latch at 0xE0.
struct SystemControl {
    /// Port 0x61 bits 1:0: speaker data, gate of timer channel 2.
    var speaker: UInt8 = 0
    /// Port 0xCF9 bits 3:1.
    var resetControl: UInt8 = 0
    /// The byte last written to port 0x80.
    var post: UInt8 = 0
    /// 32-bit I/O latch of the test device, ports 0xE0 to 0xE3.
    var latch: UInt32 = 0

    /// True when a write to `port` resets the machine. Port 0x92 bit 0 (fast INIT), 0xCF9 bit 2 (reset CPU),
    /// 0x64 command 0xFE (pulse output 0).
    static func resets(_ port: UInt16, _ value: UInt8) -> Bool {
        switch port {
        case 0x92: value & 1 != 0
        case 0xCF9: value & 4 != 0
        case 0x64: value == 0xFE
        default: false
        }
    }
}
