/// What the guest kernel does with the driver, as its command line names it: `tx:1000` transmits 1000 packets.
public struct Workload: Sendable, Equatable, CustomStringConvertible {
    public var name: String
    /// Operations asked for.
    public var operations: UInt64

    public init(name: String, operations: UInt64) {
        self.name = name
        self.operations = operations
    }

    /// The workloads the guest kernel knows.
    public static let known: [(name: String, operation: String, meaning: String)] = [
        ("tx", "packet", "transmit packets through ndo_start_xmit and read the device's statistics back")
    ]

    /// `NAME:N` or `NAME` (1000 operations).
    public init(_ text: String) throws(UserError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
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
        self.init(name: String(parts[0]), operations: parts.count == 1 ? 1000 : UInt64(parts[1])!)
    }
    static let operationsMax: UInt64 = 1 << 40

    public var description: String { "\(name):\(operations)" }
    public var operation: String { Self.known.first { $0.name == name }?.operation ?? "operation" }
}
