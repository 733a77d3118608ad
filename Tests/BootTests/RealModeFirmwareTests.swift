import TestSupport
import Testing
import X86Architecture
import X86Machine
@testable import Boot

@Suite("Real-address mode under a multiboot loader")
struct RealModeFirmwareTests {
    /// Goes to real-address mode with the vectors at 0, waits for three interrupts, and exits with the count of ticks.
    private static let program = """
        .code32
        .long 0x1BADB002, 0, -0x1BADB002
        .globl start
        start:
        lgdt gdtr
        lidt idtr
        mov $low, %esi
        mov $0x1000, %edi
        mov $lowEnd - low, %ecx
        rep movsb
        ljmp $8, $0x1000
        low:
        .code16
        movl %cr0, %eax
        andb $0xFE, %al
        movl %eax, %cr0
        ljmp $0, $0x1000 + real - low
        real:
        xorw %ax, %ax
        movw %ax, %ds
        movw %ax, %ss
        movw $0x8000, %sp
        movw $3, %cx
        sti
        wait: hlt
        loop wait
        cli
        int $0x60
        movl 0x46C, %eax
        outl %eax, $0xF4
        lowEnd:
        .balign 8
        gdt: .quad 0, 0x00009B000000FFFF
        gdtr: .short 15
        .long gdt
        idtr: .short 0x3FF
        .long 0
        """

    private func machine(ticks: UInt8, _ high: UInt8) throws -> Machine {
        let object = try Toolchain.object(
            Self.program, language: "assembler", target: "i386-none-elf", flags: ["-ffreestanding"])
        let image = try Toolchain.executable(
            object, options: ["-m", "elf_i386", "--image-base=0x100000", "-e", "start", "-n", "--no-rosegment"])
        var configuration = MachineConfiguration()
        configuration.memoryBytes = 16 << 20
        let machine = Machine(configuration)
        try BootRequest(image: image, name: "test", commandLine: "").load(by: .multiboot, into: machine)
        machine.writePhysical([ticks, 0, high, 0], at: PhysicalAddress(0x46C))
        return machine
    }

    @Test("INT 8 comes 18.2 times a second through the 8259 and counts at 40:6C; other vectors return at once")
    func ticks() throws {
        let machine = try machine(ticks: 0, 0)
        #expect(machine.run(.cycle(1 << 33)) == .debugExit(value: 3))
        // Three periods of 65,536 ticks of 1,193,182 Hz, at 2.6 GHz.
        let expected: UInt64 = 3 * 65_536 * 2_600_000_000 / 1_193_182
        #expect((expected...expected + 100_000).contains(machine.statistics.cycles), "\(machine.statistics.cycles)")
    }

    @Test("the count begins anew at midnight, and 40:70 says so")
    func midnight() throws {
        // 1800AFH; the third tick counts to 2.
        let machine = try machine(ticks: 0xAF, 0x18)
        #expect(machine.run(.cycle(1 << 33)) == .debugExit(value: 2))
        #expect(machine.readPhysical(PhysicalAddress(0x470), count: 1) == [1])
    }

    @Test("the data area names the first serial port, the extended data area and 639 KiB")
    func dataArea() throws {
        let machine = try machine(ticks: 0, 0)
        #expect(machine.readPhysical(PhysicalAddress(0x400), count: 2) == [0xF8, 0x03])
        #expect(machine.readPhysical(PhysicalAddress(0x40E), count: 2) == [0xC0, 0x9F])
        #expect(machine.readPhysical(PhysicalAddress(0x413), count: 2) == [0x7F, 0x02])
    }
}
