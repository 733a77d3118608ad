import CEngineState
import X86Architecture
import X86Decoder

/// From an address to a block: fetch, decode, translate.
extension Processor {
    static let singleKey: UInt64 = 8
    /// SSE instructions raise neither #UD nor #NM: CR0.EM, CR0.TS and CR4.OSFXSR as they should be.
    static let vectorKey: UInt64 = 16

    /// The block that begins at `rip` in the current mode; `isSingle`: with one instruction.
    /// Throws what fetching or decoding the first instruction raises.
    func block(at rip: UInt64, isSingle: Bool) throws(Interruption) -> BlockPointer {
        guard let block = try block(at: rip, isSingle: isSingle, mayFetchSlowly: true) else {
            preconditionFailure("no block is held back")
        }
        return block
    }
    /// - Parameter mayFetchSlowly: nil for an instruction that is fetched from outside RAM unless set. Such a fetch
    ///   takes its time whenever it is made, so it is made once, by the run loop, for the instruction that then runs.
    func block(at rip: UInt64, isSingle: Bool, mayFetchSlowly: Bool) throws(Interruption) -> BlockPointer? {
        let linear = try checkedCodeAddress(rip)
        let physical = try codePage(linear)
        let identity = BlockIdentity(rip: rip, physical: physical, key: blockKey | (isSingle ? Self.singleKey : 0))
        if let block = engine.blocks.find(identity), try isCurrent(block, linear) { return block }
        return try translateBlock(identity, linear, mayFetchSlowly)
    }

    private func codePage(_ linear: LinearAddress) throws(Interruption) -> PhysicalAddress {
        let physical = try translate(linear, .execute)
        try probeAPICAccess(physical, size: 1, .execute)
        return physical
    }
    private func checkedCodeAddress(_ rip: UInt64) throws(Interruption) -> LinearAddress {
        if is64BitMode {
            let a = LinearAddress(rip)
            guard a.isCanonical else { throw .exception(.generalProtection()) }
            return a
        }
        guard rip <= UInt64(system.segments[SegmentIndex.cs].limit) else { throw .exception(.generalProtection()) }
        return LinearAddress((codeBase &+ rip) & 0xffff_ffff)
    }
    /// What the identity leaves open: the second page of a straddling instruction, the limit of a code segment.
    private func isCurrent(_ block: BlockPointer, _ linear: LinearAddress) throws(Interruption) -> Bool {
        if block.straddles, try codePage(nextCodePage(linear)).rawValue != block.pointee.secondPage {
            return false
        }
        if is64BitMode { return true }
        return block.pointee.rip &+ UInt64(block.pointee.bytes) &- 1 <= UInt64(system.segments[SegmentIndex.cs].limit)
    }
    private func nextCodePage(_ a: LinearAddress) -> LinearAddress {
        let next = (a.rawValue | Page.offsetMask) &+ 1
        return LinearAddress(is64BitMode ? next : next & 0xffff_ffff)
    }

    /// Where an instruction goes on that does not end in its page; true where the segment ends before that, which the
    /// fetch will find.
    private func nextPageIsInRAM(_ linear: LinearAddress) throws(Interruption) -> Bool {
        let next = nextCodePage(linear)
        let offset = (next.rawValue &- codeBase) & 0xffff_ffff
        if !is64BitMode, offset > UInt64(system.segments[SegmentIndex.cs].limit) { return true }
        return isPlainRAM(try codePage(next))
    }

    // MARK: Translation

    private func translateBlock(
        _ identity: BlockIdentity, _ linear: LinearAddress, _ mayFetchSlowly: Bool
    ) throws(Interruption) -> BlockPointer? {
        let isFlat = identity.key & 4 != 0
        let isSingle = identity.key & Self.singleKey != 0
        var translator = Translator(
            identity, codeSize: codeSize, isFast: isFlat, isSingle: isSingle, engine: engine, codeBase: codeBase)
        translator.hasVectors = identity.key & Self.vectorKey != 0
        let limit = is64BitMode ? UInt64.max : UInt64(system.segments[SegmentIndex.cs].limit)
        let is64 = is64BitMode
        func isValid(_ target: UInt64) -> Bool { is64 ? LinearAddress(target).isCanonical : target <= limit }
        var page = identity.physical.page.rawValue, secondPage = BlockStore.noPage
        guard isPlainRAM(identity.physical),
              let host = ram.hostAddress(of: identity.physical)
        else {
            guard mayFetchSlowly else { return nil }
            translator.isAlone = true
            translator.add(try fetchSlowly(identity.rip), targetIsValid: isValid)
            return finish(&translator, page: BlockStore.noPage, secondPage: secondPage)
        }
        let code = UnsafePointer(host.assumingMemoryBound(to: UInt8.self))
        while translator.hasRoom {
            let offset = identity.physical.rawValue & Page.offsetMask &+ translator.bytes
            let rip = identity.rip &+ translator.bytes
            if offset >= Page.size || rip > limit && !is64 { break }
            let inPage = min(Page.size &- offset, UInt64(Decoder.maximumLength))
            let available = is64 ? inPage : min(inPage, limit &- rip &+ 1)
            let bytes = UnsafeBufferPointer(start: code + Int(offset), count: Int(available))
            do throws(DecodingError) {
                let i = try Decoder.decode(bytes, codeSize)
                if i.isVEX && !(isProtectedMode && !isVirtual8086) { throw .undefined }
                translator.add(i, targetIsValid: isValid)
            } catch {
                // Only the first instruction's troubles are this block's.
                if translator.bytes != 0 { break }
                if error == .truncated && available == inPage && inPage < UInt64(Decoder.maximumLength) {
                    let isInRAM = try nextPageIsInRAM(linear)
                    guard isInRAM || mayFetchSlowly else { return nil }
                    translator.isAlone = true
                    translator.add(try fetchSlowly(identity.rip), targetIsValid: isValid)
                    if isInRAM {
                        secondPage = try codePage(nextCodePage(linear)).rawValue
                    } else {
                        page = BlockStore.noPage
                    }
                    break
                }
                throw .exception(error == .undefined ? .invalidOpcode : .generalProtection())
            }
        }
        return finish(&translator, page: page, secondPage: secondPage)
    }

    /// An instruction in two pages, or outside RAM.
    private func fetchSlowly(_ rip: UInt64) throws(Interruption) -> Instruction {
        var bytes = InlineArray<15, UInt8>(repeating: 0)
        var count = 0
        while true {
            var piece = InlineArray<15, UInt8>(repeating: 0)
            let got = try loadPiece(rip &+ UInt64(count), &piece, Decoder.maximumLength - count)
            for n in 0..<got { bytes[count + n] = piece[n] }
            count += got
            do throws(DecodingError) {
                return try decode(bytes, count)
            } catch {
                switch error {
                case .truncated where count < Decoder.maximumLength: continue
                case .undefined: throw .exception(.invalidOpcode)
                default: throw .exception(.generalProtection())
                }
            }
        }
    }
    private func decode(_ bytes: borrowing InlineArray<15, UInt8>, _ count: Int) throws(DecodingError) -> Instruction {
        var copy = [UInt8]()
        copy.reserveCapacity(count)
        for n in 0..<count { copy.append(bytes[n]) }
        let i = try Decoder.decode(copy, codeSize)
        if i.isVEX && !(isProtectedMode && !isVirtual8086) { throw .undefined }
        return i
    }
    private func loadPiece(
        _ rip: UInt64, _ piece: inout InlineArray<15, UInt8>, _ count: Int
    ) throws(Interruption) -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        var got = 0, failure: Interruption?
        buffer.withUnsafeMutableBufferPointer { pointer in
            do throws(Interruption) { got = try loadCode(rip, into: pointer) } catch { failure = error }
        }
        if let failure { throw failure }
        for n in 0..<got { piece[n] = buffer[n] }
        return got
    }

    /// Puts a finished translation into the store, and guards its pages against writes.
    private func finish(_ t: inout Translator, page: UInt64, secondPage: UInt64) -> BlockPointer {
        t.close()
        let block: BlockPointer
        if let room = engine.blocks.allocate(ops: t.ops.count, instructions: t.instructions.count) {
            block = room
        } else {
            engine.blocks.flush()
            engine.banks.forgetJumps()
            // An empty arena holds any block.
            block = engine.blocks.allocate(ops: t.ops.count, instructions: t.instructions.count).unsafelyUnwrapped
        }
        block.initialize(to: BlockHeader(
            rip: t.identity.rip, page: page, offset: t.identity.physical.rawValue & Page.offsetMask,
            secondPage: secondPage,
            nextOfPage: nil, nextOfHash: nil, key: t.identity.key, reach: UInt16(truncatingIfNeeded: t.reach),
            count: UInt16(t.instructions.count), bytes: UInt16(truncatingIfNeeded: t.bytes), ops: UInt16(t.ops.count)))
        t.ops.withUnsafeBufferPointer { block.ops.initialize(from: $0.baseAddress.unsafelyUnwrapped, count: $0.count) }
        t.instructions.withUnsafeBufferPointer {
            block.instruction(0).initialize(from: $0.baseAddress.unsafelyUnwrapped, count: $0.count)
        }
        if page != BlockStore.noPage {
            engine.blocks.add(block, t.identity)
            machine.guardCode(PhysicalAddress(page))
            if secondPage != BlockStore.noPage { machine.guardCode(PhysicalAddress(secondPage)) }
        }
        return block
    }
}

extension Machine {
    /// From now on a write to the page is noticed, through whatever address and processor.
    func guardCode(_ page: PhysicalAddress) {
        if memory.flags(ofPage: page).contains(.code) { return }
        memory.setCode(true, page: page)
        guard let host = memory.hostAddress(of: page) else { return }
        for processor in processors { processor.engine.banks.dropWriteEntries(host: host) }
    }
}

extension EngineCaches {
    /// Drops the blocks made from a physical page that was written.
    func invalidateBlocks(physicalPage: PhysicalAddress) {
        if blocks.invalidate(page: physicalPage.page.rawValue) { codeChanged = true }
    }
}
