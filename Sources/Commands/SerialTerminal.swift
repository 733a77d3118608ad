import Foundation
import Simulation
import X86Machine

/// The far end of the guest's serial line: standard output, and standard input when the guest waits for a character.
///
/// A file or a pipe is read to its end, and the machine waits for it: the run depends on its bytes alone. A terminal is
/// put into raw mode and asked every ten milliseconds of the machine; while the guest idles, so does the host.
final class SerialTerminal {
    /// Ctrl-]: ends the run.
    private static let escape: UInt8 = 0x1D

    private var pending: [UInt8] = []
    private var failure: UserError?
    private var input: [UInt8] = []
    private var next = 0
    private var isAtEnd = false
    private let isTerminal = isatty(STDIN_FILENO) == 1
    private var savedMode: termios?
    private unowned let machine: Machine
    private var instructionsWhenAsked: UInt64 = 0
    /// Fewer instructions between two questions than a guest that computes would need.
    private static let idleInstructions: UInt64 = 1_000_000

    init(_ machine: Machine) {
        self.machine = machine
        machine.serialSink = { [unowned self] in put($0) }
        machine.serialSource = { [unowned self] in ask() }
        if isTerminal { enterRawMode() }
    }

    /// The terminal is again as it was found.
    func close() {
        guard var mode = savedMode else { return }
        tcsetattr(STDIN_FILENO, TCSANOW, &mode)
        savedMode = nil
    }

    private func enterRawMode() {
        var mode = termios()
        guard tcgetattr(STDIN_FILENO, &mode) == 0 else { return }
        savedMode = mode
        cfmakeraw(&mode)
        tcsetattr(STDIN_FILENO, TCSANOW, &mode)
    }

    // MARK: Output

    private func put(_ byte: UInt8) {
        pending.append(byte)
        if byte == UInt8(ascii: "\n") || pending.count >= 4096 { write() }
    }
    private func write() {
        do { try Console.output(bytes: pending) } catch { failure = failure ?? error }
        pending.removeAll(keepingCapacity: true)
    }
    func flush() throws(UserError) {
        if !pending.isEmpty { write() }
        if let failure { throw failure }
    }

    // MARK: Input

    private func ask() -> SerialInput {
        if next == input.count {
            if !pending.isEmpty { write() }
            if isAtEnd { return .end }
            if isTerminal, !isReadable(waiting: guestIdles) { return .nothingYet }
            read()
            if next == input.count { return isAtEnd ? .end : .nothingYet }
        }
        let byte = input[next]
        next += 1
        if isTerminal, byte == Self.escape {
            Signals.interrupted.store(true, ordering: .relaxed)
            machine.requestStop()
            return .end
        }
        return .byte(byte)
    }

    private var guestIdles: Bool {
        let now = machine.statistics.instructions
        defer { instructionsWhenAsked = now }
        return now - instructionsWhenAsked < Self.idleInstructions
    }

    private func isReadable(waiting: Bool) -> Bool {
        var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, waiting ? 10 : 0) > 0
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Foundation.read(STDIN_FILENO, &buffer, buffer.count)
        if count > 0 {
            input = Array(buffer[..<count])
            next = 0
        } else if count == 0 || errno != EINTR {
            isAtEnd = true
        }
    }
}
