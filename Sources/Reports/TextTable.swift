/// Rows of `label  value  note`, aligned: labels to the left, numbers to the right with their thousands apart.
public struct TextTable: Sendable {
    private enum Row: Sendable {
        case entry(label: String, value: String, note: String)
        case heading(String)
        case line(String)
    }
    private var rows: [Row] = []
    public init() {}

    public mutating func add(_ label: String, _ value: String, _ note: String = "") {
        rows.append(.entry(label: label, value: value, note: note))
    }
    public mutating func add(_ label: String, _ value: UInt64, _ note: String = "") {
        add(label, grouped(value), note)
    }
    public mutating func heading(_ text: String) { rows.append(.heading(text)) }
    /// A line that takes no part in the alignment.
    public mutating func line(_ text: String) { rows.append(.line(text)) }

    public var text: String {
        var labelWidth = 0, valueWidth = 0
        for case .entry(let label, let value, _) in rows {
            labelWidth = max(labelWidth, label.count)
            valueWidth = max(valueWidth, value.count)
        }
        var text = ""
        for row in rows {
            switch row {
            case .heading(let words), .line(let words): text += words + "\n"
            case .entry(let label, let value, let note):
                var line = label + blanks(labelWidth - label.count + 2) + blanks(valueWidth - value.count) + value
                if !note.isEmpty { line += "  " + note }
                text += line + "\n"
            }
        }
        return text
    }
}

/// 1234567 as "1,234,567".
public func grouped(_ value: UInt64) -> String {
    let digits = String(value)
    var text = ""
    for (i, digit) in digits.enumerated() {
        if i > 0, (digits.count - i).isMultiple(of: 3) { text.append(",") }
        text.append(digit)
    }
    return text
}

/// Numerator over denominator with one decimal, rounded half up; "-" when there is nothing to divide by.
public func ratio(_ numerator: UInt64, _ denominator: UInt64) -> String {
    guard let tenths = tenths(numerator, denominator) else { return "-" }
    return grouped(tenths / 10) + "." + String(tenths % 10)
}

/// Numerator over denominator in tenths, rounded half up.
public func tenths(_ numerator: UInt64, _ denominator: UInt64) -> UInt64? {
    guard denominator > 0 else { return nil }
    let wide = (UInt128(numerator) * 20 + UInt128(denominator)) / (UInt128(denominator) * 2)
    return UInt64(exactly: wide)
}

func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
