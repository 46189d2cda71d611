/// Finds the key somebody probably meant.
enum NearestKey {
  /// The known key nearest to `key`; both are dotted. A key that is right but for its section is nearer
  /// than one that shares the section and little else.
  static func to(_ key: String, among known: [String]) -> String {
    known.min { score(key, $0) < score(key, $1) } ?? ""
  }

  private static func score(_ key: String, _ known: String) -> Int {
    let last = { (dotted: String) in dotted.split(separator: ".").last.map(String.init) ?? "" }
    return min(distance(key, known) * 2, distance(last(key), last(known)) * 2 + 1)
  }

  /// Levenshtein's edit distance, in characters.
  static func distance(_ a: String, _ b: String) -> Int {
    let (a, b) = (Array(a), Array(b))
    var row = Array(0...b.count)
    for i in a.indices {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
