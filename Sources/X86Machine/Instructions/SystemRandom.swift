import X86Architecture
import X86Decoder

/// RDRAND, RDSEED and RDPID (SDM 2B under their names).
extension SystemInstructions {
    static func rdrand(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.vmxCheckRDRAND(i)
        random(p, i)
    }
    static func rdseed(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.vmxCheckRDSEED(i)
        random(p, i)
    }

    /// There is always a number: CF is 1, the other flags are cleared.
    private static func random(_ p: Processor, _ i: borrowing Instruction) {
        p.setGPR(Int(i.rm), size: Int(i.operandSize), p.nextRandom())
        p.rflags = p.rflags & ~RFLAGS.arithmetic | RFLAGS.carry
    }

    /// In VMX non-root operation as RDTSCP: SDM 3C 28.3 "Changes to Instruction Behavior in VMX Non-Root Operation".
    static func rdpid(_ p: Processor, _ i: borrowing Instruction) throws(Interruption) {
        try p.vmxCheckRDTSCPEnabled()
        p.setGPR(Int(i.rm), p.system.tscAux & 0xFFFF_FFFF)
    }
}

extension Processor {
    /// A sequence of its own for every processor, all from the machine's seed: SplitMix64 of the number of the draw.
    func nextRandom() -> UInt64 {
        system.randomDraws &+= 1
        let stream = machine.configuration.seed &* 0xD134_2543_DE82_EF95 &+ UInt64(index) &<< 48
        var z = stream &+ system.randomDraws &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ z &>> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z &>> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z &>> 31
    }
}
