/// Numbers of 14 bits in a string literal, two ASCII characters each: data of the image, without start-up or checks.
///
/// Every index is a sum of numbers that the generator wrote into the same tables, so none is out of bounds.
struct StaticTable {
    let characters: UnsafePointer<UInt8>
    @inline(__always) init(_ literal: StaticString) { characters = literal.utf8Start }
    @inline(__always) subscript(index: Int) -> Int {
        Int(characters[index &* 2]) | Int(characters[index &* 2 &+ 1]) &<< 7
    }
}

/// The numbers of one row, in the order in which OpcodeTableGenerator writes them.
struct RowFormat {
    static let words = 11
    let base: Int
    @inline(__always) init(row: Int) { base = row &* RowFormat.words }
    @inline(__always) private func word(_ n: Int) -> Int { OpcodeTables.rows[base &+ n] }

    enum Immediate: Int { case none, byte, word, dword, qword, far16, far32, memoryOffset }
    /// What ModRM.reg means and which of its values exist.
    enum Register: Int {
        case extended, threeBits, segment, segmentDestination, control, debug
        /// REX.R is the fourth bit.
        @inline(__always) var isExtended: Bool { self == .extended || self == .control || self == .debug }
    }

    struct Layout {
        let bits: Int
        @inline(__always) var immediate: Immediate { Immediate(rawValue: bits & 7) ?? .none }
        @inline(__always) var isSigned: Bool { bits & 8 != 0 }
        @inline(__always) var hasSecondByte: Bool { bits & 16 != 0 }
        /// Bytes, by size class: 0 16 bits, 1 32 bits, 2 REX.W.
        @inline(__always) func operandSize(_ sizeClass: Int) -> UInt8 {
            1 &<< UInt8(bits &>> (5 &+ sizeClass &* 2) & 3)
        }
        @inline(__always) var allowsLock: Bool { bits & 1 << 11 != 0 }
    }
    struct Fields {
        let bits: Int
        @inline(__always) var register: Register { Register(rawValue: bits & 7) ?? .extended }
        @inline(__always) var rmIsThreeBits: Bool { bits & 8 != 0 }
        @inline(__always) var opcodeHasRegister: Bool { bits & 16 != 0 }
        @inline(__always) var usesVexV: Bool { bits & 32 != 0 }
        @inline(__always) var hasVectorIndex: Bool { bits & 64 != 0 }
    }
    @inline(__always) var layout: Layout { Layout(bits: word(0)) }
    @inline(__always) var fields: Fields { Fields(bits: word(1)) }
    var mnemonic: Int { word(2) }
    var semantics: Int { word(3) }
    func operand(_ n: Int) -> Int { word(4 + n) }
    var access: Int { word(8) }
    var attributes: Int { word(9) }
    var feature: Int { word(10) }
}
