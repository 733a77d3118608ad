import IDL
import Simulation
import X86Architecture

/// The value of `--cpu`: a model, and what it is changed by, as in `max,-x2apic,+smap,phys-bits=36`.
extension ProcessorModel {
    init(option: String) throws(UserError) {
        let words = option.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let named = Self.named.map(\.name)
        guard let model = Self.named.first(where: { $0.name == words[0] }) else {
            throw Self.error(words[0], "expected one of \(named.joined(separator: ", "))", among: named)
        }
        var result = model
        for word in words.dropFirst() { result = try result.changed(by: word) }
        self = result.named(option)
    }

    private func changed(by word: String) throws(UserError) -> ProcessorModel {
        switch word.first {
        case "+": return including(try Self.feature(word))
        case "-":
            let feature = try Self.feature(word)
            guard !CPUIDFeature.inEveryModel.contains(feature) else {
                throw Self.error(word, "\(feature.name) cannot be left out: the machine has it whatever CPUID says")
            }
            return excluding(feature)
        default: break
        }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts[0] == "phys-bits" else {
            throw Self.error(word, "expected +FEATURE, -FEATURE or phys-bits=N", among: ["phys-bits=36"])
        }
        let range = Self.physicalAddressBitsRange
        guard let bits = UInt8(parts[1]), range.contains(bits) else {
            throw Self.error(word, "expected \(range.lowerBound) to \(range.upperBound) bits")
        }
        return with(physicalAddressBits: bits)
    }

    /// By its name in the SDM; case and what is neither letter nor digit do not count.
    private static func feature(_ word: String) throws(UserError) -> CPUIDFeature {
        func letters(_ text: String) -> String { text.lowercased().filter { $0.isLetter || $0.isNumber } }
        let wanted = letters(String(word.dropFirst())), names = CPUIDFeature.modelled.map { "\($0.name)" }
        if let n = names.firstIndex(where: { letters($0) == wanted }) { return CPUIDFeature.modelled[n] }
        let expected = "expected a feature that is modelled, by its name in the SDM"
        throw error(word, expected, among: names.map { $0.lowercased() }, typed: word.dropFirst().lowercased())
    }

    private static func error(
        _ word: String, _ expected: String, among names: [String] = [], typed: String? = nil
    ) -> UserError {
        let hint = suggestion(for: typed ?? word, among: names).map { "; \($0)" } ?? ""
        return UserError(.usage, "--cpu: '\(word)': \(expected)\(hint)")
    }
}
