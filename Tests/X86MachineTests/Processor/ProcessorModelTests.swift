import Testing
import X86Architecture
@testable import X86Machine

@Suite("Processor models")
struct ProcessorModelTests {
    private func machine(_ model: ProcessorModel) -> Machine {
        var configuration = MachineConfiguration()
        configuration.memoryBytes = 16 << 20
        configuration.model = model
        return Machine(configuration)
    }

    @Test("minimal reports what 64-bit Linux requires, leaves up to 1 and 80000001H, and nothing else")
    func minimal() {
        let machine = machine(.minimal), p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        #expect(p.identification(0, 0).eax == 1 && p.identification(0x8000_0000, 0).eax == 0x8000_0001)
        let one = p.identification(1, 0), extended = p.identification(0x8000_0001, 0)
        // FPU, MSR, PAE, CX8, CMOV, FXSR, SSE, SSE2: what Linux asks for at its 32-bit entry.
        // SYSCALL shows in 64-bit mode only.
        #expect(one.edx == 0x0700_8161 && one.ecx == 0)
        #expect(extended.edx == 1 << 29 && extended.ecx == 0)
    }

    @Test("without a local APIC there is no IA32_APIC_BASE, and the 8259 pair reaches INTR at once")
    func withoutAPIC() throws {
        let machine = machine(.minimal), p = machine.processors[0]
        defer { withExtendedLifetime(machine) {} }  // A processor does not keep its machine.
        #expect(throws: Interruption.self) { _ = try p.readMSR(MSR.apicBase) }
        #expect(!p.hasPendingInterrupt)
        machine.platform.devices.interruptControllers.write(0x21, 0)
        machine.setInterruptLine(1, true, at: 0)
        #expect(p.hasPendingInterrupt)
    }

    @Test("without NX, EFER.NXE is reserved")
    func withoutNX() {
        // A machine owns its processors: both have to stay.
        let without = machine(.minimal), with = machine(.max)
        #expect(throws: Interruption.self) {
            try without.processors[0].writeMSR(MSR.efer, EFER.executeDisableEnable)
        }
        #expect(throws: Never.self) { try with.processors[0].writeMSR(MSR.efer, EFER.executeDisableEnable) }
    }

    @Test("max has every feature that haswell-ep has; names are distinct")
    func maximal() {
        for feature in CPUIDFeature.modelled where ProcessorModel.haswellEP.has(feature) {
            #expect(ProcessorModel.max.has(feature), "\(feature.name)")
        }
        #expect(ProcessorModel.max.has(.smap) && !ProcessorModel.haswellEP.has(.smap))
        #expect(Set(ProcessorModel.named.map(\.name)).count == ProcessorModel.named.count)
    }
}
