import Testing
import X86Architecture
@testable import X86Machine

@Suite struct TranslationCacheTests {
    /// A fixed sequence of pseudo-random numbers.
    struct Sequence {
        var state: UInt64 = 0x1234_5678
        mutating func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
    }

    /// Whatever is inserted and dropped, look-ups agree with a list that is searched.
    @Test func itAgreesWithASearchedList() {
        var cache = TranslationCache(), list: [Translation] = [], random = Sequence()
        for step in 0..<20_000 {
            if random.next(40) == 0 {
                var s = TranslationSelection()
                if random.next(2) == 0 { s.linear = LinearAddress(random.next(64) << 12 | random.next(2) << 30) }
                if random.next(2) == 0 { s.vpid = UInt16(random.next(3)) }
                if random.next(2) == 0 { s.pcid = UInt16(random.next(3)) }
                if random.next(3) == 0 { s.ep4ta = [0x1000, 0x2000, Translation.noEPT][Int(random.next(3))] }
                s.keepsGlobals = random.next(3) == 0
                s.combinedOnly = random.next(5) == 0
                s.keepsVPIDZero = random.next(5) == 0
                let had = list.count
                list.removeAll { s.matches($0) }
                let dropped = cache.drop(s)
                #expect((dropped != .nothing) == (had != list.count))
            } else {
                var t = Translation()
                t.shift = [12, 12, 12, 21, 30][Int(random.next(5))]
                t.guestShift = random.next(8) == 0 ? 30 : t.shift
                t.page = (random.next(64) << 12 | random.next(2) << 30) & ~t.offsetMask
                t.frame = UInt64(step) << 12
                t.vpid = UInt16(random.next(3))
                t.pcid = UInt16(random.next(3))
                t.ep4ta = [0x1000, 0x2000, Translation.noEPT][Int(random.next(3))]
                if random.next(5) == 0 { t.pcid = Translation.anyPCID; t.rights.insert(.global) }
                list.removeAll {
                    $0.page == t.page && $0.shift == t.shift && $0.vpid == t.vpid && $0.pcid == t.pcid
                        && $0.ep4ta == t.ep4ta
                }
                list.append(t)
                cache.insert(t)
            }
            #expect(cache.count == list.count)
            let a = LinearAddress(random.next(64) << 12 | random.next(2) << 30 | random.next(4096))
            let tags = TranslationTags(vpid: UInt16(random.next(3)), pcid: UInt16(random.next(3)), ep4ta: 0x1000)
            let found = cache.lookup(a, tags)
            let expected = list.filter {
                $0.vpid == tags.vpid && $0.ep4ta == tags.ep4ta
                    && ($0.pcid == tags.pcid || $0.pcid == Translation.anyPCID)
                    && ($0.page ^ a.rawValue) >> UInt64($0.shift) == 0
            }
            if let found { #expect(expected.contains(found)) } else { #expect(expected.isEmpty) }
        }
    }

    @Test func atItsLimitItIsDroppedWhole() {
        var cache = TranslationCache()
        for n in 0..<UInt64(TranslationCache.capacityLimit) {
            let flushed = cache.insert(Translation(page: n << 12))
            #expect(!flushed)
        }
        let flushed = cache.insert(Translation(page: 1 << 40))
        #expect(flushed)
        #expect(cache.count == 1)
    }
}
