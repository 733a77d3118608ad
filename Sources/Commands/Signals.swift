import Foundation
import Synchronization

/// What the process does with signals: SIGINT asks a run to stop at an instruction boundary, a trap is our bug.
enum Signals {
    /// Set by SIGINT; a run looks at it between slices.
    static let interrupted = Atomic<Bool>(false)

    /// The first SIGINT stops the run, which still reports; a second one ends the process at once.
    static func stopOnInterrupt() {
        interrupted.store(false, ordering: .relaxed)
        signal(SIGINT) { _ in
            if Signals.interrupted.exchange(true, ordering: .relaxed) { _exit(130) }
        }
        // A parent's worker thread may have left it blocked.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// A trap in our code is reported as what it is, with exit code 70.
    static func reportTraps() {
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE] {
            signal(number) { _ in
                let text: StaticString =
                    "lvdsim: internal error. This is a bug of lvdsim: please report the command line.\n"
                _ = Foundation.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
                _exit(70)
            }
        }
    }
}
