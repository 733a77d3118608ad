import CMonitor

/// CPUID: the kernel's way to speak to the monitor, and an ordinary instruction for everyone.
extension VMExit {
    private static var leaves: ClosedRange<UInt64> { 0x4BF0_0000...0x4BF0_FFFF }

    func handleCPUID() {
        let leaf = registers.pointee.rax & 0xFFFF_FFFF
        guard Self.leaves.contains(leaf) else { return passCPUID(leaf) }
        guard isFromKernel else {
            let cause = leaf == UInt64(LVD_LEAF_ABORT) ? LVD_CAUSE_ABORT : LVD_CAUSE_HYPERCALL
            return terminate(UInt64(cause.rawValue), detail: leaf)
        }
        // Ring 3 sees a processor without such leaves (S13).
        guard privilegeLevel == 0 else { return passCPUID(leaf) }
        hypercall(leaf)
    }

    private func passCPUID(_ leaf: UInt64) {
        var result = cpuid(UInt32(truncatingIfNeeded: leaf), UInt32(truncatingIfNeeded: registers.pointee.rcx))
        if leaf == 1 {
            result.ecx &= ~(1 << 5) // no VMX for the kernel: there is no nested virtualisation
            let hasOSXSAVE = VMCS[.cr4ReadShadow] & CR4.osxsave != 0
            result.ecx = result.ecx & ~(1 << 27) | (hasOSXSAVE ? 1 << 27 : 0)
        }
        registers.pointee.rax = UInt64(result.eax)
        registers.pointee.rbx = UInt64(result.ebx)
        registers.pointee.rcx = UInt64(result.ecx)
        registers.pointee.rdx = UInt64(result.edx)
        skipInstruction()
    }

    private func hypercall(_ leaf: UInt64) {
        switch leaf {
        case UInt64(LVD_LEAF_ACK):
            registers.pointee.rax = UInt64(LVD_LEAF_ACK_ANSWER)
        case UInt64(LVD_LEAF_INSTALL_EPTP_LIST):
            installEPTPList()
        case UInt64(LVD_LEAF_MAP_PAGE):
            mapPage()
        case UInt64(LVD_LEAF_EXIT_COUNT):
            registers.pointee.rax = cpu.pointee.exits
        case UInt64(LVD_LEAF_INVALIDATE):
            registers.pointee.rax = invept(INVEPTType.singleContext.rawValue, registers.pointee.rbx) ? 0 : ~0
        case UInt64(LVD_LEAF_LOCK):
            cpu.pointee.locked = 1
            registers.pointee.rax = 0
        case UInt64(LVD_LEAF_CONSOLE):
            writeConsole()
        case UInt64(LVD_LEAF_PROMOTE):
            promote()
        case UInt64(LVD_LEAF_ABORT):
            // A crossing check failed after VMFUNC had brought the CPU to the kernel's view.
            return terminate(UInt64(LVD_CAUSE_ABORT.rawValue), detail: leaf)
        default:
            registers.pointee.rax = ~0
        }
        skipInstruction()
    }

    private func installEPTPList() {
        let list = registers.pointee.rbx & 0xFFFF_FFFF | registers.pointee.rcx << 32
        guard cpu.pointee.locked == 0, list & Page.offsetMask == 0,
              KernelView.contains(list, memoryEnd: cpu.pointee.memory_end) else {
            registers.pointee.rax = ~0
            return
        }
        VMCS[.eptpListAddress] = list
        VMCS[.vmFunctionControls] = VMFunctionControls.eptpSwitching.rawValue
        VMCS[.secondaryProcessorBasedControls] |= UInt64(SecondaryControls.enableVMFunctions.rawValue)
        registers.pointee.rax = 0
        registers.pointee.rbx = cpu.pointee.kernel_eptp & 0xFFFF_FFFF
        registers.pointee.rcx = cpu.pointee.kernel_eptp >> 32
    }

    private func writeConsole() {
        let start = registers.pointee.rbx, length = registers.pointee.rcx
        let end = start &+ length
        guard length > 0, length <= Page.size, KernelView.contains(start, memoryEnd: cpu.pointee.memory_end),
              KernelView.contains(end &- 1, memoryEnd: cpu.pointee.memory_end) else {
            registers.pointee.rax = ~0
            return
        }
        Console.write(memory: start..<end)
        registers.pointee.rax = 0
    }

    private func mapPage() {
        let guest = registers.pointee.rbx & ~Page.offsetMask, page = registers.pointee.rcx & ~Page.offsetMask
        let eptp = cpu.pointee.kernel_eptp
        guard cpu.pointee.locked == 0, KernelView.contains(page, memoryEnd: cpu.pointee.memory_end),
              KernelView.map(eptp: eptp, guest: guest, to: page), invept(INVEPTType.singleContext.rawValue, eptp) else {
            registers.pointee.rax = ~0
            return
        }
        if guest == cpu.pointee.state_page_guest { cpu.pointee.state_page = page }
        registers.pointee.rax = 0
    }
}
