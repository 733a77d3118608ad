/// Every invariant, in the order of docs/invariants.md.
public enum Registry {
    public static let invariants: [any Invariant.Type] = [
        I1.self, I2.self, I3.self, I5.self, A1.self, A2.self, A3.self, A4.self, A5.self, A6.self, A7.self, A8.self,
        A9.self, A10.self, S3.self, S10.self, S11.self, S19.self,
    ]
    public static var ids: [String] { invariants.map { $0.id } }
}
