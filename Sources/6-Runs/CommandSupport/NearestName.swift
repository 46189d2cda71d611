/// Finds the name that somebody probably meant.
package enum NearestName {
  /// The name nearest to `word`; nil where none is near: where more than a third of its characters
  /// would have to change.
  package static func to(_ word: String, among names: [String]) -> String? {
    let nearest = names.min { distance(word, $0) < distance(word, $1) }
    return nearest.flatMap { distance(word, $0) <= max(1, $0.count / 3) ? $0 : nil }
  }

  /// The edit distance in characters, where exchanging two neighbours is one edit (optimal string
  /// alignment; Boytsov, "Indexing methods for approximate dictionary searching", 2011).
  package static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var (older, old) = ([Int](), Array(0...b.count))
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(old[j] + (a[i] == b[j] ? 0 : 1), old[j + 1] + 1, row[j] + 1)
        if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
          best = min(best, older[j - 1] + 1)
        }
        row.append(best)
      }
      (older, old) = (old, row)
    }
    return old[b.count]
  }
}
