import Foundation
import HostileGuest

// Feeds hostile guests to the machine. A finding is a crash of this process, a report of a sanitizer, a case that does
// not end, or a run that does not repeat; `scripts/fuzz.sh` drives it and keeps what it found.
//
//   lvdsim-fuzz run FIRST COUNT SECONDS FILE   cases by seed; FILE always holds the seed of the current one
//   lvdsim-fuzz show SEED                      the case as text
//   lvdsim-fuzz replay FILE...                 cases from text
//   lvdsim-fuzz compare SEED                   the last place to cut a run that makes it differ; takes minutes

/// A case that takes more processor time than this does not end.
let secondsPerCase = 20
/// SIGPROF ends the process when that time is over; 0 disarms.
func limit(_ seconds: Int) {
    var timer = itimerval()
    timer.it_value.tv_sec = seconds
    setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
}

func fail(_ message: String, _ status: Int32) -> Never {
    FileHandle.standardError.write(Data((message + "\n").utf8))
    exit(status)
}
func number(_ text: String) -> UInt64 {
    guard let value = UInt64(text) else { fail("lvdsim-fuzz: \(text): expected a number", 64) }
    return value
}

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "run" where arguments.count == 6:
    let first = number(arguments[2]), count = number(arguments[3]), seconds = number(arguments[4])
    let end = time(nil) + Int(clamping: seconds)
    guard let file = fopen(arguments[5], "w") else { fail("lvdsim-fuzz: cannot write \(arguments[5])", 74) }
    var tally: [String: Int] = [:], done: UInt64 = 0, instructions: UInt64 = 0
    while done < count, time(nil) < end {
        let seed = first &+ done
        rewind(file)
        fputs("\(seed)\n", file)
        fflush(file)
        limit(secondsPerCase)
        let hostile = HostileCase(seed: seed)
        let outcome = hostile.run()
        if seed % 16 == 0, hostile.run(pieces: 3) != outcome { fail("seed \(seed) does not repeat", 5) }
        limit(0)
        done += 1
        instructions &+= outcome.statistics.instructions
        tally[outcome.kind, default: 0] += 1
    }
    print("\(done) cases from seed \(first), \(instructions) instructions")
    for (kind, count) in tally.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) { print("  \(count) \(kind)") }
case "show" where arguments.count == 3:
    print(HostileCase(seed: number(arguments[2])).text, terminator: "")
case "compare" where arguments.count == 3:
    let hostile = HostileCase(seed: number(arguments[2]))
    func line(_ o: HostileCase.Outcome) -> String { "\(o.stop) \(o.statistics) \(o.digest)" }
    /// The steps up to the n-th, of which only the last is cut.
    for n in 1...hostile.steps.count {
        guard case .run(let cycles) = hostile.steps[n - 1] else { continue }
        var whole = hostile
        whole.steps = Array(hostile.steps[..<n])
        let expected = whole.run()
        for cut in stride(from: cycles, to: 0, by: -1) {
            var part = whole
            part.steps[n - 1...n - 1] = [.run(cut), .run(cycles - cut)]
            let outcome = part.run()
            guard outcome != expected else { continue }
            print("step \(n), \(cycles) cycles, cut at \(cut):\n  \(line(expected))\n  \(line(outcome))")
            part.steps = Array(hostile.steps[..<(n - 1)]) + [.run(cut)]
            print("  at the cut: \(line(part.run()))")
            exit(0)
        }
    }
    print("no difference")
case "replay" where arguments.count > 2:
    for path in arguments.dropFirst(2) {
        guard let data = FileManager.default.contents(atPath: path) else { fail("lvdsim-fuzz: no \(path)", 66) }
        do {
            limit(secondsPerCase)
            let hostile = try HostileCase(text: String(decoding: data, as: UTF8.self)), outcome = hostile.run()
            let repeats = hostile.run(pieces: 3) == outcome
            print("\(path): \(outcome.kind)\(repeats ? "" : ", and does not repeat")")
        } catch {
            fail("\(path): \(error)", 65)
        }
    }
default:
    fail("usage: lvdsim-fuzz run FIRST COUNT SECONDS FILE | show SEED | replay FILE... | compare SEED", 64)
}

extension HostileCase.Outcome {
    /// How it ended, without particulars.
    var kind: String {
        switch stop {
        case .notModelled(let what): "not modelled: " + (what.split(separator: "(").first.map(String.init) ?? what)
        case .guestDied: "guest died"
        case .limit: "ran to its end"
        default: "\(stop)"
        }
    }
}
