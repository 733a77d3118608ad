/// What the guest kernel does with the driver, as its command line names it: `tx:1000` transmits 1000 packets,
/// `blk:1000:depth=16,size=4096` issues 1000 requests.
public struct Workload: Sendable, Equatable, CustomStringConvertible {
    public var name: String
    /// Operations asked for.
    public var operations: UInt64
    /// `KEY=VALUE`, in the order given; a workload's own.
    public var options: [String]

    public init(name: String, operations: UInt64, options: [String] = []) {
        self.name = name
        self.operations = operations
        self.options = options
    }

    /// The workloads the guest kernel knows.
    public static let known: [(name: String, operation: String, meaning: String)] = [
        ("tx", "packet", "transmit packets through ndo_start_xmit and read the device's statistics back"),
        ("blk", "request", "issue requests to the driver's disks and wait for their completion"),
        ("module", "reload", "unload the driver and load it again")
    ]

    /// What a workload takes behind its number, with the values allowed.
    public static let knownOptions: [String: [(key: String, values: ClosedRange<UInt64>, step: UInt64)]] = [
        "tx": [("kept", 0...1, 1)],
        "blk": [("depth", 1...64, 1), ("size", 512...65536, 512), ("writes", 0...100, 1)]
    ]

    /// `NAME:N[:KEY=VALUE,...]` or `NAME` (1000 operations).
    public init(_ text: String) throws(UserError) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        let names = Self.known.map(\.name).joined(separator: ", ")
        guard Self.known.contains(where: { $0.name == parts[0] }) else {
            throw UserError(.usage, "--workload \(text): no workload is called \"\(parts[0])\"; there is: \(names)")
        }
        guard parts.count == 1 || UInt64(parts[1]).map({ $0 > 0 && $0 <= Self.operationsMax }) == true else {
            throw UserError(
                .usage,
                "--workload \(text): expected a number of operations from 1 to \(Self.operationsMax), "
                    + "as in \(parts[0]):1000")
        }
        let options = parts.count < 3 ? [] : parts[2].split(separator: ",", omittingEmptySubsequences: false)
        for option in options { try Self.check(option, of: String(parts[0]), in: text) }
        self.init(
            name: String(parts[0]), operations: parts.count == 1 ? 1000 : UInt64(parts[1])!,
            options: options.map(String.init))
    }
    static let operationsMax: UInt64 = 1 << 40

    private static func check(_ option: Substring, of name: String, in text: String) throws(UserError) {
        let known = knownOptions[name] ?? []
        let words = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let wanted = known.first(where: { $0.key == words[0] }) else {
            let there = known.isEmpty ? "none" : known.map(\.key).joined(separator: ", ")
            throw UserError(.usage, "--workload \(text): \(name) has no option \"\(words[0])\"; there is: \(there)")
        }
        guard words.count == 2, let value = UInt64(words[1]), wanted.values.contains(value), value % wanted.step == 0
        else {
            throw UserError(
                .usage,
                "--workload \(text): \(wanted.key) takes \(wanted.values.lowerBound) to \(wanted.values.upperBound)"
                    + (wanted.step > 1 ? " in steps of \(wanted.step)" : ""))
        }
    }

    public var description: String {
        "\(name):\(operations)" + (options.isEmpty ? "" : ":" + options.joined(separator: ","))
    }
    public var operation: String { Self.known.first { $0.name == name }?.operation ?? "operation" }
}
