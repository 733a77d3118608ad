/// Which field of the encoding holds which operand. The SDM's "Op/En" column follows from the spelling: the operand
/// that may be memory is ModRM.rm; of the others ModRM.reg comes before VEX.vvvv.
extension InstructionRow {
    mutating func placeOperands() throws(Malformed) {
        var immediates = encoding.immediates
        for i in operands.indices {
            switch operands[i].kind {
            case .immediate, .relative, .farPointer:
                guard let immediate = immediates.first else {
                    throw Malformed("'\(operands[i].spelling)' has no bytes in the opcode column")
                }
                guard immediate.bytes * 8 == operands[i].width else {
                    throw Malformed("'\(operands[i].spelling)' is not the size of \(immediate)")
                }
                operands[i].placement = .immediate
                immediates.removeFirst()
            case .memoryOffset: operands[i].placement = .immediate
            default: break
            }
        }
        let encoded = operands.indices.filter { operands[$0].isEncodedRegister || operands[$0].mayBeMemory }
        var fields: [Operand.Placement]
        switch encoding.modRM {
        case .none: fields = encoding.opcodeHasRegister ? [.opcode] : []
        case .fixed: fields = []
        case .fixedPlusRegister: fields = [.modRMRM]
        case .digit where encoded.isEmpty: fields = []
        case .digit: fields = encoding.map.isVEX && encoded.count == 2 ? [.vexV, .modRMRM] : [.modRMRM]
        case .register: fields = registerForm(encoded)
        }
        if encoding.immediates.contains(.is4) {
            fields.append(.immediateHigh)
            immediates.removeAll { $0 == .is4 }
        }
        // String instructions and XLAT name memory that no ModRM byte encodes.
        if encoding.modRM == .none && !encoding.opcodeHasRegister && encoded.allSatisfy({ operands[$0].isMemoryOnly }) {
            fields = encoded.map { _ in .fixed }
        }
        if case .fixed = encoding.modRM, encoded.allSatisfy({ operands[$0].isMemoryOnly }) {
            fields = encoded.map { _ in .fixed }
        }
        guard fields.count == encoded.count else {
            throw Malformed("\(encoded.count) operands for the \(fields.count) fields of the opcode column")
        }
        for (i, field) in zip(encoded, fields) { operands[i].placement = field }
        guard immediates.isEmpty else { throw Malformed("\(immediates[0]) holds no operand") }
    }

    private func registerForm(_ encoded: [Int]) -> [Operand.Placement] {
        let is4 = encoding.immediates.contains(.is4) ? 1 : 0
        let memory = encoded.firstIndex { operands[$0].mayBeMemory }
        let system = encoded.firstIndex { [.controlRegister, .debugRegister].contains(operands[$0].kind) }
        switch (encoded.count - is4, memory ?? (system.map { 1 - $0 })) {
        case (1, 0): return [.modRMRM]
        case (2, 0): return [.modRMRM, .modRMReg]
        case (2, _): return [.modRMReg, .modRMRM]
        case (3, nil) where has(.rmFirst): return [.modRMRM, .vexV, .modRMReg]
        case (3, 0): return [.modRMRM, .vexV, .modRMReg]
        case (3, 1): return [.modRMReg, .modRMRM, .vexV]
        case (3, _): return [.modRMReg, .vexV, .modRMRM]
        default: return []
        }
    }
}
