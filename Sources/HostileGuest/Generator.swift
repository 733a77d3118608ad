extension HostileCase {
    /// The case of a seed: a scene, damage to what the processor reads by itself, a random payload, and more damage
    /// while it runs. The same seed gives the same case in every process.
    public init(seed: UInt64) {
        var r = SplitMix(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        let scene = Scene.allCases[[0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7, 7, 7][r.below(15)]]
        comment = "\(scene), seed \(seed)"
        processors = r.oneIn(4) ? 2 : 1
        memoryBytes = Layout.memoryBytes
        steps = [.write(Layout.payload, Payload(scene).bytes(&r))] + SceneBuilder(scene, &r).steps
        // Something in the page of data, including pointers.
        for n in 0..<16 { steps.append(.write(Layout.data + UInt64(n) * 64, Self.little(Interesting.value(&r)))) }
        if !r.oneIn(3) { for _ in 0..<r.below(6) { steps.append(Self.damage(&r)) } }
        for _ in 0..<4 {
            steps.append(.run(UInt64(20_000 + r.below(20_000))))
            switch r.below(6) {
            case 0: steps.append(.interrupt(UInt8(r.below(256))))
            case 1: steps.append(.nmi)
            default: for _ in 0..<r.below(4) { steps.append(Self.damage(&r)) }
            }
        }
        steps.append(.run(20_000))
    }

    /// A few bits of a structure, or a whole entry of it.
    private static func damage(_ r: inout SplitMix) -> Step {
        let page = Layout.structures[r.below(Layout.structures.count)]
        // The first entries are the used ones.
        let entry = UInt64(r.oneIn(2) ? r.below(16) : r.below(512)) * 8
        if r.oneIn(2) { return .write(page + entry, little(Interesting.value(&r))) }
        return .write(page + entry + UInt64(r.below(8)), [UInt8(truncatingIfNeeded: r.next())])
    }
    private static func little(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
