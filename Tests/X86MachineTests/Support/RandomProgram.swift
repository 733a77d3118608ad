import InstructionTable

/// A random program for 64-bit mode that ends in HLT: integer instructions, forward branches, counted loops, stack
/// operations, calls, string instructions. Memory operands lie in `data`.
struct RandomProgram {
    static let data: UInt64 = 0x20_0000, dataBytes: UInt64 = 0x3000, counters: UInt64 = 0x21_0000
    var bytes: [UInt8] = []

    private enum Item {
        case code([UInt8], ripRelativeAt: Int?, target: UInt64)
        /// Jcc rel32 to an item.
        case branch(UInt8, Int)
        //// dec dword [counter]; jg item
        case loop(UInt64, Int)
        case call(Int)
    }

    init(_ samples: InstructionSamples, _ r: inout SplitMix, items count: Int, base: UInt64) {
        var items: [Item] = []
        func plain(_ bytes: [UInt8]) -> Item { .code(bytes, ripRelativeAt: nil, target: 0) }
        while items.count < count {
            switch r.below(20) {
            case 0, 1: items.append(.branch(UInt8(r.below(16)), items.count + 1 + r.below(5)))
            case 2 where items.count > 4:
                items.append(.loop(Self.counters + UInt64(4 * items.count), items.count - 1 - r.below(4)))
            case 3: items.append(plain([0x50 + UInt8([0, 1, 2, 3, 5, 6, 7][r.below(7)])]))
            case 4: items.append(plain([0x58 + UInt8([0, 1, 2, 3, 5, 6, 7][r.below(7)])]))
            case 5: items.append(plain([0x9c, 0x58]))
            // call to a RET that the flow jumps over
            case 6: items.append(.call(items.count + 1))
            case 7:
                // lea rdi, [data + x]; lea rsi, [data + y]; mov ecx, n; rep movs/stos, or repe cmps
                let strings: [[UInt8]] = [
                    [0xf3, 0xa4], [0xf3, 0xab], [0xf3, 0x48, 0xa5], [0xf3, 0xa6], [0xf2, 0xae], [0xa5],
                ]
                let to = Self.data + UInt64(r.below(0x1800)), from = Self.data + UInt64(r.below(0x1800))
                let count = UInt64(r.below(300))
                items.append(plain(Self.load(7, to) + Self.load(6, from) + Self.load(1, count) + strings[r.below(6)]))
            default:
                let row = samples.rows[r.below(samples.rows.count)]
                guard let s = samples.sample(row, &r, .ripRelative) else { continue }
                let room = Int(Self.dataBytes) - 64
                let target = Self.data + UInt64(r.below(room))
                items.append(.code(s.bytes, ripRelativeAt: s.ripRelativeAt, target: target))
            }
        }
        // Two passes: positions first, then displacements.
        var starts: [Int] = [], at = 0
        for item in items { starts.append(at); at += Self.length(item) }
        starts.append(at)
        func start(_ n: Int) -> Int { starts[min(n, items.count)] }
        for (n, item) in items.enumerated() {
            let next = starts[n + 1]
            switch item {
            case .code(var code, let displacement, let target):
                if let displacement {
                    Self.put(&code, displacement, Int64(bitPattern: target &- (base + UInt64(next))))
                }
                bytes += code
            case .branch(let cc, let to):
                var code: [UInt8] = [0x0f, 0x80 | cc, 0, 0, 0, 0]
                Self.put(&code, 2, Int64(start(to) - next))
                bytes += code
            case .loop(let counter, let to):
                var code: [UInt8] = [0xff, 0x0c, 0x25, 0, 0, 0, 0, 0x0f, 0x8f, 0, 0, 0, 0]
                Self.put(&code, 3, Int64(counter))
                Self.put(&code, 9, Int64(start(to) - next))
                bytes += code
            case .call:
                // call +2; jmp +1; ret
                bytes += [0xe8, 2, 0, 0, 0, 0xeb, 1, 0xc3]
            }
        }
        bytes.append(0xf4)
    }

    private static func length(_ item: Item) -> Int {
        switch item {
        case .code(let bytes, _, _): bytes.count
        case .branch: 6
        case .loop: 13
        case .call: 8
        }
    }
    /// mov r32, imm32
    private static func load(_ n: UInt8, _ value: UInt64) -> [UInt8] {
        [0xb8 + n] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    private static func put(_ code: inout [UInt8], _ at: Int, _ value: Int64) {
        for n in 0..<4 { code[at + n] = UInt8(truncatingIfNeeded: value >> Int64(8 * n)) }
    }
}
