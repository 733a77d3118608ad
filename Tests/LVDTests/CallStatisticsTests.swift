import Testing
@testable import LVD

@Suite("Calls, from crossings")
struct CallStatisticsTests {
    static let top: UInt64 = 0xffff_c900_0240_3000
    static let xmit = RemoteProcedure(.domain, word: 3 << 32 | 7)
    static let consume = RemoteProcedure(.kernel, word: 3 << 32 | 8)

    private func cycles(_ follower: CallFollower, _ procedure: RemoteProcedure) -> [UInt64]? {
        follower.finished.procedures.first { $0.procedure == procedure }?.cycles.percentiles([0, 100])
    }

    @Test("a call lasts from its VMFUNC to its return's, a callback inside it included")
    func nested() {
        var f = CallFollower()
        f.follow(.call, rsp: Self.top, rdi: 3 << 32 | 7, cycle: 100)
        f.follow(.callback, rsp: Self.top - 0x80, rdi: 3 << 32 | 8, cycle: 130)
        f.follow(.callbackReturn, rsp: Self.top - 0x80, rdi: 0, cycle: 150)
        f.follow(.callReturn, rsp: Self.top, rdi: 0, cycle: 190)
        #expect(cycles(f, Self.xmit) == [90, 90])
        #expect(cycles(f, Self.consume) == [20, 20])
        #expect(f.finished.callsByDepth == [1] && f.finished.unanswered == 0)
    }

    @Test("a call from a callback starts at the callback's stack pointer and counts as depth 2")
    func deeper() {
        var f = CallFollower()
        f.follow(.call, rsp: Self.top, rdi: 3 << 32, cycle: 0)
        f.follow(.callback, rsp: Self.top - 0x80, rdi: 3 << 32 | 8, cycle: 10)
        f.follow(.call, rsp: Self.top - 0x80, rdi: 3 << 32 | 7, cycle: 20)
        f.follow(.callReturn, rsp: Self.top - 0x80, rdi: 0, cycle: 25)
        f.follow(.callbackReturn, rsp: Self.top - 0x80, rdi: 0, cycle: 31)
        f.follow(.callReturn, rsp: Self.top, rdi: 0, cycle: 40)
        #expect(cycles(f, Self.xmit) == [5, 5] && cycles(f, Self.consume) == [21, 21])
        #expect(f.finished.callsByDepth == [1, 1] && f.finished.unanswered == 0)
    }

    @Test("threads interleave: a stack pointer belongs to one stack")
    func interleaved() {
        var f = CallFollower()
        let other = Self.top + 0x3000
        f.follow(.call, rsp: Self.top, rdi: 3 << 32 | 7, cycle: 0)
        f.follow(.call, rsp: other, rdi: 3 << 32 | 7, cycle: 10)
        f.follow(.callReturn, rsp: Self.top, rdi: 0, cycle: 50)
        f.follow(.callReturn, rsp: other, rdi: 0, cycle: 70)
        #expect(cycles(f, Self.xmit) == [50, 60])
    }

    @Test("what a termination unwound is unanswered: the stack is empty again for the next call")
    func unwound() {
        var f = CallFollower()
        f.follow(.call, rsp: Self.top, rdi: 3 << 32 | 7, cycle: 0)
        f.follow(.callback, rsp: Self.top - 0x80, rdi: 3 << 32 | 8, cycle: 10)
        f.follow(.call, rsp: Self.top, rdi: 3 << 32 | 7, cycle: 100)
        f.follow(.callReturn, rsp: Self.top, rdi: 0, cycle: 104)
        f.follow(.call, rsp: Self.top, rdi: 3 << 32 | 7, cycle: 200)
        #expect(cycles(f, Self.xmit) == [4, 4] && cycles(f, Self.consume) == nil)
        #expect(f.finished.callsByDepth == [3] && f.finished.unanswered == 3)
    }

    @Test("percentiles are values that occurred, by nearest rank")
    func percentiles() {
        var d = CycleDistribution()
        #expect(d.percentiles([50]) == nil)
        for value in 1...99 { d.add(UInt64(value) * 10) }
        d.add(5000)
        #expect(d.percentiles([0, 50, 99, 100]) == [10, 500, 990, 5000])
        d.add(7000)
        #expect(d.percentiles([99]) == [5000] && d.count == 101)
    }
}
