import CEngineState
import X86Architecture

/// The registers of a processor at one moment, as values.
public struct ProcessorRegisters: Sendable {
    /// RAX RCX RDX RBX RSP RBP RSI RDI R8 ... R15.
    public var general: [UInt64]
    public var rip: UInt64
    public var rflags: UInt64
    public var cr0: UInt64, cr2: UInt64, cr3: UInt64, cr4: UInt64, cr8: UInt64
    public var efer: UInt64
    public var cpl: UInt8
    /// ES CS SS DS FS GS LDTR TR.
    public var segments: [SegmentView]
    public var gdt: DescriptorTableView, idt: DescriptorTableView
    public var kernelGSBase: UInt64
    public var star: UInt64, lstar: UInt64, fmask: UInt64
    public var sysenterCS: UInt64, sysenterESP: UInt64, sysenterEIP: UInt64
    public var apicBase: UInt64, pat: UInt64, xcr0: UInt64
    public var dr7: UInt64

    public var rsp: UInt64 { general[4] }
    public var cs: SegmentView { segments[1] }
    public var fsBase: UInt64 { segments[4].base }
    public var gsBase: UInt64 { segments[5].base }
    public var taskRegister: SegmentView { segments[7] }
    public var interruptsEnabled: Bool { rflags & RFLAGS.interrupt != 0 }
}

public struct SegmentView: Sendable, Equatable {
    public var selector: UInt16, base: UInt64, limit: UInt32
    /// Layout of the VMCS's access-rights fields.
    public var access: UInt32
}

public struct DescriptorTableView: Sendable, Equatable {
    public var base: UInt64, limit: UInt16
}

/// VMX operation of a processor at one moment.
public struct VMXView: Sendable, Equatable {
    public var inOperation: Bool
    public var inNonRoot: Bool
    /// The current-VMCS pointer; nil when there is none.
    public var currentVMCS: PhysicalAddress?
    /// The EPTP in use; nil outside VMX non-root operation and without EPT.
    public var eptp: UInt64?
    public var vpid: UInt16
    /// EPTP-list address in use; nil outside VMX non-root operation and when EPTP switching is not enabled.
    public var eptpList: PhysicalAddress?
}

public enum ProcessorActivity: Sendable, Equatable { case active, halted, shutdown, waitForSIPI }

extension MachineView {
    /// What an observer of single instructions asks most, without copying everything.
    public func rip(of processor: Int) -> LinearAddress { LinearAddress(machine.processors[processor].cpu.pointee.rip) }
    public func general(_ register: Int, of processor: Int) -> UInt64 { machine.processors[processor].gpr(register) }
    public func cr3(of processor: Int) -> UInt64 { machine.processors[processor].system.cr3 }
    /// XMM0 to XMM15: low and high quadword.
    public func vector(_ register: Int, of processor: Int) -> (low: UInt64, high: UInt64) {
        withUnsafePointer(to: machine.processors[processor].cpu.pointee.xmm) {
            $0.withMemoryRebound(to: UInt64.self, capacity: 32) { ($0[2 * register], $0[2 * register + 1]) }
        }
    }
    /// The significand of R0 to R7, in physical order.
    public func x87(_ register: Int, of processor: Int) -> UInt64 {
        machine.processors[processor].system.fpu.significands[register]
    }
    public func rflags(of processor: Int) -> UInt64 { machine.processors[processor].rflags }
    public func cycles(of processor: Int) -> UInt64 { machine.processors[processor].cpu.pointee.cycles }
    public func instructions(of processor: Int) -> UInt64 { machine.processors[processor].cpu.pointee.instructions }
    public func activity(of processor: Int) -> ProcessorActivity {
        switch machine.processors[processor].system.activity {
        case .active: .active
        case .halted: .halted
        case .shutdown: .shutdown
        case .waitForSIPI: .waitForSIPI
        }
    }

    public func registers(of processor: Int) -> ProcessorRegisters {
        let p = machine.processors[processor], s = p.system
        return ProcessorRegisters(
            general: (0..<16).map { p.gpr($0) }, rip: p.cpu.pointee.rip, rflags: p.rflags,
            cr0: s.cr0, cr2: s.cr2, cr3: s.cr3, cr4: s.cr4, cr8: p.apic.cr8, efer: s.efer, cpl: s.cpl,
            segments: (0..<8).map { n in
                let g = s.segments[n]
                return SegmentView(selector: g.selector, base: g.base, limit: g.limit, access: g.access)
            },
            gdt: DescriptorTableView(base: s.gdtr.base, limit: s.gdtr.limit),
            idt: DescriptorTableView(base: s.idtr.base, limit: s.idtr.limit),
            kernelGSBase: s.kernelGSBase, star: s.star, lstar: s.lstar, fmask: s.fmask,
            sysenterCS: s.sysenterCS, sysenterESP: s.sysenterESP, sysenterEIP: s.sysenterEIP,
            apicBase: s.apicBase, pat: s.pat, xcr0: s.xcr0, dr7: s.dr7)
    }

    public func vmx(of processor: Int) -> VMXView {
        let p = machine.processors[processor], v = p.vmx
        let switching = v.inNonRoot && v.controls.secondary.contains(.enableVMFunctions)
            && v.controls.vmFunctions.contains(.eptpSwitching)
        return VMXView(
            inOperation: v.inOperation, inNonRoot: v.inNonRoot,
            currentVMCS: p.hasCurrentVMCS ? PhysicalAddress(v.currentVMCS) : nil,
            eptp: v.inNonRoot && v.eptEnabled ? v.eptp.rawValue : nil, vpid: v.currentVPID,
            eptpList: switching ? PhysicalAddress(v.controls.eptpList) : nil)
    }

    /// A field of the processor's current VMCS, as VMREAD gives it; nil when there is no current VMCS, and for fields
    /// that do not exist on this processor.
    public func vmcsField(_ field: VMCSField, of processor: Int) -> UInt64? {
        let p = machine.processors[processor]
        return p.hasCurrentVMCS && VMCS.isSupported(field, p.engine.secondaryControls) ? p.vmcs[field] : nil
    }

    /// IRR, ISR and priorities of a local APIC.
    public func highestPendingInterrupt(of processor: Int) -> UInt8? {
        machine.processors[processor].apic.highestPending
    }
    public func highestInService(of processor: Int) -> UInt8? { machine.processors[processor].apic.isr.highest }

    /// The events in the queue, soonest first: cycle and what happens.
    public var scheduled: [(cycle: UInt64, what: String)] {
        machine.platform.events.ordered.map { ($0.cycle, String(describing: $0.event)) }
    }
}
