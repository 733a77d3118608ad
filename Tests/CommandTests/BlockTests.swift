import Foundation
import TestSupport
import Testing

@Suite("Block drivers")
struct BlockTests {
    /// Our own driver, and Debian's when it has been fetched.
    static let drivers = ["nullblk.ko"] + (DebianKernel.has("modules/null_blk.ko") ? ["null_blk.ko"] : [])
    static let debian: [[String]] = [
        [], ["queue_mode=0"], ["queue_mode=0", "irqmode=2"], ["nr_devices=3"], ["submit_queues=4"],
        ["shared_tags=1", "nr_devices=2"], ["mbps=20"], ["hw_queue_depth=2"]
    ]

    private func run(_ driver: String, _ workload: String, _ more: [String]) throws -> [String: Any] {
        let outcome = try Tool.run(
            list: ["run", driver, "--workload", workload, "--compare-native", "--json"] + more)
        #expect(outcome.status == 0, "\(driver) \(more): \(outcome.errors)")
        return try outcome.json()
    }

    private func isComplete(_ run: [String: Any], _ requests: Int, size: Int) -> Bool {
        let native = run.object("native")
        return run.number("workload", "completed") == requests && native.number("completed") == requests
            && run.number("workload", "packets") == requests && native.number("packets") == requests
            && run.number("workload", "bytes") == requests * size && native.number("bytes") == requests * size
            && (run["findings"] as? [Any])?.isEmpty == true && run.object("calls").number("unanswered") == 0
    }

    @Test("each completion mode, alone and on four processors: every request completes as natively", arguments: drivers)
    func modes(driver: String) throws {
        for mode in 0...2 {
            for processors in [1, 4] {
                let run = try run(
                    driver, "blk:200:depth=8,size=4096,writes=30",
                    ["--param", "irqmode=\(mode)", "--cpus", "\(processors)"])
                #expect(isComplete(run, 200, size: 4096), "irqmode \(mode), \(processors) processors")
            }
        }
    }

    @Test(
        "Debian's null_blk.ko with its parameters: bios, several disks, several queues, shared tags, a limit of speed",
        .enabled(if: DebianKernel.has("modules/null_blk.ko"), "no null_blk.ko here: scripts/fetch-debian.sh null_blk"),
        arguments: debian)
    func parameters(parameters: [String]) throws {
        let run = try run(
            "null_blk.ko", "blk:120:depth=16", ["--cpus", "2"] + parameters.flatMap { ["--param", $0] })
        #expect(isComplete(run, 120, size: 512))
    }

    @Test("a request in each completion mode makes the calls that its mode needs, and no other")
    func calls() throws {
        let expected: [Int: [String: Int]] = [
            0: ["BLK_QUEUE_RQ": 100, "START_REQUEST": 100, "END_REQUEST": 100],
            1: [
                "BLK_QUEUE_RQ": 100, "START_REQUEST": 100, "COMPLETE_REQUEST": 100, "BLK_COMPLETE": 100,
                "END_REQUEST": 100
            ],
            2: [
                "BLK_QUEUE_RQ": 100, "START_REQUEST": 100, "TIMER_START": 100, "TIMER_EXPIRED": 100,
                "END_REQUEST": 100
            ]
        ]
        for (mode, calls) in expected {
            let run = try run("nullblk.ko", "blk:100", ["--param", "irqmode=\(mode)"])
            let procedures = run.object("calls")["procedures"] as? [[String: Any]] ?? []
            var counted: [String: Int] = [:]
            for one in procedures where one.number("count") == 100 {
                counted[(one["name"] as? String ?? "").uppercased()] = 100
            }
            #expect(counted == calls, "irqmode \(mode)")
        }
    }

    @Test("completions that several queues make at once nest in the request that is being issued")
    func depth() throws {
        let deferred = try run("nullblk.ko", "blk:100", ["--cpus", "2"]).object("calls")
        let atOnce = try run("nullblk.ko", "blk:100", ["--cpus", "2", "--param", "submit_queues=2"]).object("calls")
        func nested(_ calls: [String: Any]) -> Int {
            (calls["byDepth"] as? [Int] ?? []).dropFirst().reduce(0, +)
        }
        #expect(nested(atOnce) - nested(deferred) == 102, "100 completions, and one more queue to set up and take down")
    }

    @Test("parameters that a module does not have, or does not take, are errors that say so")
    func wrongParameters() throws {
        func errors(_ arguments: String..., status: Int32) throws -> String {
            let outcome = try Tool.run(list: ["run", "--workload", "blk:10"] + arguments)
            #expect(outcome.status == status, "\(outcome.errors)")
            return outcome.errors
        }
        #expect(
            try errors("nullblk.ko", "--param", "nosuch=1", status: 64).contains(
                "nullblk has no such parameter; there is: irqmode, submit_queues"))
        #expect(try errors("nullblk.ko", "--param", "irqmode", status: 64).contains("expected NAME=VALUE"))
        #expect(try errors("nullblk.ko", "nullnet.ko", "--param", "irqmode=1", status: 64).contains("which driver?"))
        #expect(
            try errors("nullblk.ko", "--console", "--param", "irqmode=soon", status: 2).contains(
                "the module parameter irqmode does not take \"soon\""))
        for workload in ["blk:10:depth=0", "blk:10:size=100", "blk:10:writes=101", "blk:10:speed=1", "tx:10:depth=1"] {
            #expect(try Tool.run("run", "nullblk.ko", "--workload", workload).status == 64, "\(workload)")
        }
    }

    @Test("a network driver and a block driver are loaded and unloaded, in domains and natively", arguments: drivers)
    func module(driver: String) throws {
        let other = driver == "nullblk.ko" ? "nullnet.ko" : "dummy.ko"
        for mode in [[], ["--native"]] {
            let outcome = try Tool.run(
                list: ["run", driver, other, "--workload", "module:4", "--json", "--console"] + mode)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let run = try outcome.json()
            #expect(run.number("workload", "completed") == 8)
            #expect((run["findings"] as? [Any])?.isEmpty == true)
            // Nothing of the four domains that came and went is left, but what the kernel's heap keeps to use again.
            let words = outcome.errors.split(whereSeparator: \.isNewline).first { $0.contains("pages in use") } ?? ""
            let pages = words.split { !$0.isNumber }.compactMap { Int($0) }
            #expect(pages.count == 2 && pages[1] - pages[0] < 8, "\(words)")
        }
    }

    // MARK: Hostile disks (Sources/Guest/attacks/block.c)

    /// What each says at its eighth request or when it is loaded, or, having lost a request, when its disk is to go;
    /// and the message in which the kernel catches it.
    static let attacks: [(driver: String, message: String)] = [
        ("blk-twice", "END_REQUEST"), ("blk-idle-tag", "COMPLETE_REQUEST"), ("blk-bad-tag", "COMPLETE_REQUEST"),
        ("blk-bad-queue", "COMPLETE_REQUEST"),
        ("blk-early", "END_REQUEST"), ("blk-refuse", "END_REQUEST"), ("blk-gone", "DEL_DISK"),
        ("blk-free-tags", "FREE_TAG_SET"), ("blk-map", "ALLOC_TAG_SET"), ("blk-lost", "DEL_DISK")
    ]
    /// These gain nothing: a driver that does no work, and one whose timer is always due.
    static let idle: [(driver: String, completed: Int, status: Int32)] = [("blk-busy", 7, 2), ("blk-storm", 50, 0)]

    @Test("a step of a request that is not due, or a number that names nothing, ends the domain", arguments: attacks)
    func terminated(driver: String, message: String) throws {
        let outcome = try Tool.run("run", "\(driver).ko", "--workload", "blk:50:depth=4", "--json")
        #expect(outcome.status == 2, "\(outcome.errors)")
        #expect(
            outcome.errors.contains("terminated; it sent a message that makes no sense: \(message.lowercased()) "),
            "\(outcome.errors)")
        let run = try outcome.json()
        #expect((run["findings"] as? [Any])?.isEmpty == true)
        #expect(run.number("workload", "completed") < 50)
    }

    @Test("a disk named where a tag set belongs ends the domain")
    func anotherType() throws {
        let outcome = try Tool.run("run", "blk-foreign-set.ko", "--workload", "blk:50:depth=4")
        #expect(outcome.status == 2)
        #expect(
            outcome.errors.contains("terminated; it named a capability of another type: complete_request "),
            "\(outcome.errors)")
    }

    @Test("a disk that does no work ends the workload, a timer that never rests does not", arguments: idle)
    func withstood(driver: String, completed: Int, status: Int32) throws {
        let outcome = try Tool.run("run", "\(driver).ko", "--workload", "blk:50:depth=4", "--json")
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(try outcome.json().number("workload", "completed") == completed)
        #expect(try outcome.json().object("calls").number("unanswered") == 0)
    }

    @Test("a disk whose driver dies is there again, and another domain's completes meanwhile", arguments: [1, 4])
    func loadedAgain(processors: Int) throws {
        let outcome = try Tool.run(
            "run", "blk-once.ko", "nullblk.ko", "--workload", "blk:300:depth=4", "--cpus", "\(processors)",
            "--restart", "1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try outcome.json()
        let drivers = try #require(report["drivers"] as? [[String: Any]])
        #expect(drivers.map { $0["completed"] as? Int } == [300, 300])
        #expect(drivers.map { $0["kills"] as? Int } == [1, 0])
        #expect(drivers.map { $0["restarts"] as? Int } == [1, 0])
        #expect((report["findings"] as? [Any])?.isEmpty == true)
    }
}
