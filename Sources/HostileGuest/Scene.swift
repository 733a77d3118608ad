import X86Architecture

/// The valid state that a guest is led into before its payload runs.
enum Scene: Int, CaseIterable {
    case realMode, protectedMode, legacyPaging, pae, longMode, userMode, vmxRoot, vmxNonRoot
    var isLong: Bool { rawValue >= Scene.longMode.rawValue }
    var usesVMX: Bool { self == .vmxRoot || self == .vmxNonRoot }
}

/// Structures and start-up code of a scene.
struct SceneBuilder {
    let scene: Scene
    private(set) var steps: [HostileCase.Step] = []

    init(_ scene: Scene, _ r: inout SplitMix) {
        self.scene = scene
        descriptorTables()
        pageTables()
        if scene.usesVMX { vmxStructures() }
        recoveries()
        boot(&r)
    }

    private mutating func write(_ address: UInt64, _ bytes: [UInt8]) { steps.append(.write(address, bytes)) }
    private mutating func words(_ address: UInt64, _ values: [UInt64], size: Int = 8) {
        var code = CodeBytes()
        for value in values { code.word(value, size) }
        write(address, code.bytes)
    }

    // MARK: Structures

    private mutating func descriptorTables() {
        words(Layout.gdt, Layout.descriptors)
        let isLong = scene.isLong
        var registers = CodeBytes()
        registers.word(0x7F as UInt16, 2)
        registers.word(Layout.gdt, 8)
        registers.word(0, 6)
        registers.word(isLong ? 0xFFF : 0x7FF as UInt16, 2)
        registers.word(isLong ? Layout.idt64 : Layout.idt32, 8)
        write(Layout.tableRegisters, registers.bytes)
        // RSP0 to RSP2 and the interrupt stacks; in a 32-bit TSS the same words are ESP0, SS0 and others.
        var tss = CodeBytes()
        if isLong {
            tss.word(0, 4)
            for n in 0..<16 { tss.word(Layout.stackTop - UInt64(n) * 0x400, 8) }
        } else {
            tss.word(0, 4)
            for n in 0..<3 {
                tss.word(Layout.stackTop - UInt64(n) * 0x400, 4)
                tss.word(UInt32(Layout.kernelData), 4)
            }
        }
        write(Layout.tss, tss.bytes)
        write(Layout.tss + 0x66, [0x68, 0])
        let target = Layout.recovery
        var gates64: [UInt64] = [], gates32: [UInt64] = []
        for vector in 0..<256 as Range<UInt64> {
            // Breakpoints and two more may come from CPL 3; double faults and NMIs have stacks of their own.
            let dpl: UInt64 = vector == 3 || vector >= 0x80 ? 3 : 0
            let ist: UInt64 = vector == 8 ? 1 : vector == 2 ? 2 : 0
            let access = (0x8E | dpl << 5) << 40
            gates64.append(target & 0xFFFF | UInt64(Layout.kernelCode) << 16 | ist << 32 | access)
            gates64.append(0)
            gates32.append(target & 0xFFFF | UInt64(Layout.code32) << 16 | access)
        }
        words(Layout.idt64, gates64)
        words(Layout.idt32, gates32)
    }

    private mutating func pageTables() {
        let t = Layout.root64
        words(t, [(t + 0x1000) | 7])
        // The first 2 MiB in small pages, then large ones; a gigabyte without RAM; the APICs' pages.
        words(t + 0x1000, [(t + 0x2000) | 7, 0x4000_0087, 0, (t + 0x4000) | 7])
        words(t + 0x2000, [(t + 0x3000) | 7] + (1..<8).map { $0 << 21 | 0x187 })
        words(t + 0x3000, (0..<512).map { $0 << 12 | ($0 == 0x6F ? 5 : 0x107) })
        words(t + 0x4000 + 0xFB0, [0xFEC0_0087, 0xFEE0_0087])
        words(Layout.root32, [(Layout.root32 + 0x1000) | 7, 0x40_0087, 0x80_0087, 0xC0_0087], size: 4)
        words(Layout.root32 + 0xFEC, [0xFEC0_0087], size: 4)
        words(Layout.root32 + 0x1000, (0..<1024).map { $0 << 12 | 7 }, size: 4)
        let p = Layout.rootPAE
        words(p, [(p + 0x1000) | 1, 0, 0, (p + 0x2000) | 1])
        words(p + 0x1000, (0..<8).map { $0 << 21 | 0x87 })
        words(p + 0x2000 + 0xFB0, [0xFEC0_0087, 0xFEE0_0087])
    }

    private mutating func vmxStructures() {
        for (root, low) in [(Layout.ept, 0 as UInt64), (Layout.otherEPT, 0x10_0000)] {
            words(root, [(root + 0x1000) | 7])
            words(root + 0x1000, [(root + 0x2000) | 7, 0, 0, (root + 0x4000) | 7])
            words(root + 0x2000, [(root + 0x3000) | 7] + (1..<8).map { $0 << 21 | 0xB7 })
            // The other view has the data page elsewhere.
            words(root + 0x3000, (0..<512).map { n in (n << 12 == Layout.data ? low : n << 12) | 0x37 })
            words(root + 0x4000 + 0xFB0, [0xFEC0_0087, 0xFEE0_0087])
        }
        words(Layout.eptpList, [Layout.ept | 0x1E, Layout.otherEPT | 0x1E, Layout.otherEPT | 0x5E, 1])
        words(Layout.msrArea, [0x277, 0x0007_0406_0007_0406, 0xC000_0080, 0xD01, 0x175, 0x1000])
        words(Layout.operands, [Layout.vmxon, Layout.vmcs, Layout.otherVMCS, Layout.ept | 0x1E, 0])
        words(Layout.ioBitmaps, [0xF000_0000_FFFF_0000])
    }

    /// After an exception: the next chunk of the payload, on a fresh stack. The same bytes in 32- and 64-bit mode.
    private mutating func recoveries() {
        func next(_ code: inout CodeBytes) {
            code.move32(0, Layout.counter)
            code.put(0xFF, 0x00, 0x8B, 0x00, 0x83, 0xE0, UInt8(Layout.chunks - 1), 0xC1, 0xE0, 8, 0x05)
            code.word(Layout.payload, 4)
        }
        var plain = CodeBytes()
        next(&plain)
        plain.move32(4, Layout.stackTop)
        plain.put(0xFF, 0xE0)
        write(Layout.recovery, plain.bytes)
        // After a VM exit: the guest goes on at the next chunk; if it cannot, the host does.
        var exit = CodeBytes()
        next(&exit)
        exit.move32(2, 0x681E)
        exit.put(0x0F, 0x79, 0xD0, 0x0F, 0x01, 0xC3, 0x0F, 0x01, 0xC2, 0xFF, 0xE0)
        write(Layout.exitRecovery, exit.bytes)
        // Real mode: data and stack at segment 0, the payload at 4000:chunk.
        let real: [UInt8] = [
            0x31, 0xC0, 0x8E, 0xD8, 0x8E, 0xC0, 0x8E, 0xD0, 0xBC, 0x00, 0x90, 0xFF, 0x06, 0x00, 0x70, 0xA1, 0x00,
            0x70, 0x83, 0xE0, UInt8(Layout.chunks - 1), 0xC1, 0xE0, 0x08, 0x68, 0x00, 0x40, 0x50, 0xCB,
        ]
        write(Layout.realRecovery, real)
        write(Layout.startup, [0xEA, 0x00, 0x58, 0x00, 0x00])
        // mov eax, cr0; and al, FE; mov cr0, eax; lidt of the real-mode table; jmp 0:realRecovery
        write(Layout.realSwitch, [
            0x0F, 0x20, 0xC0, 0x24, 0xFE, 0x0F, 0x22, 0xC0, 0x31, 0xC0, 0x8E, 0xD8, 0x0F, 0x01, 0x1E, 0x20, 0x18, 0xEA,
            0x00, 0x58, 0x00, 0x00,
        ])
        write(Layout.tableRegisters + 0x20, [0xFF, 0x03, 0, 0, 0, 0])
        words(0, (0..<256).map { _ in Layout.realRecovery }, size: 4)
    }

    // MARK: Code

    private mutating func boot(_ r: inout SplitMix) {
        var c = CodeBytes()
        c.absolute32([0x0F, 0x01], digit: 2, Layout.tableRegisters)
        c.absolute32([0x0F, 0x01], digit: 3, Layout.tableRegisters + 16)
        let selector: UInt16
        switch scene {
        case .realMode:
            selector = Layout.code16
        case .protectedMode:
            selector = Layout.code32
        case .legacyPaging:
            c.toControlRegister(4, CR4.pageSizeExtensions)
            c.toControlRegister(3, Layout.root32)
            c.toControlRegister(0, CR0.protectionEnable | CR0.paging | 0x10)
            selector = Layout.code32
        case .pae:
            c.toControlRegister(4, CR4.physicalAddressExtension)
            c.toControlRegister(3, Layout.rootPAE)
            c.toControlRegister(0, CR0.protectionEnable | CR0.paging | 0x10)
            selector = Layout.code32
        case .longMode, .userMode, .vmxRoot, .vmxNonRoot:
            var cr4 = CR4.physicalAddressExtension | CR4.pageGlobalEnable | 0x600
            if scene.usesVMX { cr4 |= CR4.vmxEnable }
            c.toControlRegister(4, cr4)
            c.toControlRegister(3, Layout.root64)
            c.writeMSR(0xC000_0080, 0x901)
            c.toControlRegister(0, 0x8001_0033)
            selector = Layout.kernelCode
        }
        if scene == .realMode {
            // jmp code16:realSwitch
            c.put(0x66, 0xEA)
            c.word(Layout.realSwitch, 2)
            c.word(selector, 2)
        } else {
            // A far jump to what follows it.
            let following = Layout.boot + UInt64(c.bytes.count) + 7
            c.put(0xEA)
            c.word(following, 4)
            c.word(selector, 2)
            c.move32(0, UInt64(Layout.kernelData))
            for segment: UInt8 in [0, 2, 3, 4, 5] { c.put(0x8E, 0xC0 | segment << 3) }
            c.move32(4, Layout.stackTop)
            c.move32(0, UInt64(Layout.taskState))
            c.put(0x0F, 0x00, 0xD8)
            goOn(&c, &r)
        }
        write(Layout.boot, c.bytes)
        steps.append(.enter(UInt32(Layout.boot)))
    }

    private func goOn(_ c: inout CodeBytes, _ r: inout SplitMix) {
        switch scene {
        case .userMode:
            // iretq to CPL 3
            for value in [UInt64(Layout.userData), Layout.stackTop - 0x1000, 0x3202, UInt64(Layout.userCode),
                          Layout.payload] {
                c.put(0x68)
                c.word(value, 4)
            }
            c.put(0x48, 0xCF)
        case .vmxRoot, .vmxNonRoot:
            c.writeMSR(0x3A, 5)
            // The revision identifier, from IA32_VMX_BASIC, into the regions.
            c.move32(1, 0x480)
            c.put(0x0F, 0x32)
            for region in [Layout.vmxon, Layout.vmcs, Layout.otherVMCS] { c.absolute64([0x89], digit: 0, region) }
            c.absolute64([0xF3, 0x0F, 0xC7], digit: 6, Layout.operands)
            c.absolute64([0x66, 0x0F, 0xC7], digit: 6, Layout.operands + 8)
            c.absolute64([0x0F, 0xC7], digit: 6, Layout.operands + 8)
            VMCSImage.write(&c, &r)
            if scene == .vmxNonRoot { c.put(0x0F, 0x01, 0xC2) }
            jumpToPayload(&c)
        default:
            jumpToPayload(&c)
        }
    }
    private func jumpToPayload(_ c: inout CodeBytes) {
        c.move32(0, Layout.payload)
        c.put(0xFF, 0xE0)
    }
}
