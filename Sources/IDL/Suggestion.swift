/// The likeliest word that was meant: one edit away, or two for longer words.
public func suggestion(for word: String, among candidates: [String]) -> String? {
    let typed = Array(word.utf8)
    guard typed.count <= 64 else { return nil }
    var best: (distance: Int, word: String)?
    for candidate in candidates where candidate != word {
        let distance = editDistance(typed, Array(candidate.utf8))
        guard distance <= (typed.count > 4 ? 2 : 1), distance < best?.distance ?? .max else { continue }
        best = (distance, candidate)
    }
    return best.map { "did you mean '\($0.word)'?" }
}

private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard abs(a.count - b.count) <= 2 else { return 3 }
    var row = Array(0...b.count)
    for i in 0..<a.count {
        var diagonal = row[0]
        row[0] = i + 1
        for j in 0..<b.count {
            let cost = min(diagonal + (a[i] == b[j] ? 0 : 1), row[j] + 1, row[j + 1] + 1)
            diagonal = row[j + 1]
            row[j + 1] = cost
        }
    }
    return row[b.count]
}
