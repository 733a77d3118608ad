import Foundation
import Reports
import X86Machine

/// What a run costs the host: the only clock in the project, and it reaches nothing but `--stats`.
enum HostCost {
    /// CPU time of this process, user and system.
    static var processorSeconds: Double {
        let usage = usage
        func seconds(_ t: timeval) -> Double { Double(t.tv_sec) + Double(t.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static var usage: rusage {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage
    }

    static func report(_ statistics: Statistics, since start: Double) {
        let seconds = processorSeconds - start
        let mips = seconds > 0 ? Double(statistics.instructions) / seconds / 1e6 : 0
        Console.message("instructions  \(grouped(statistics.instructions))")
        Console.message("cycles        \(grouped(statistics.cycles))")
        Console.message(String(format: "CPU seconds   %.3f", seconds))
        Console.message(String(format: "MIPS          %.1f", mips))
        // ru_maxrss is in KiB on Linux.
        Console.message("memory        \(usage.ru_maxrss / 1024) MB at most")
    }
}
