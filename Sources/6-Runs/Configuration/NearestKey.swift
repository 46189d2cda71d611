import CommandSupport

/// Finds the key somebody probably meant.
enum NearestKey {
  /// The known key nearest to `key`; both are dotted. A key that is right but for its section is nearer
  /// than one that shares the section and little else.
  static func to(_ key: String, among known: [String]) -> String {
    known.min { score(key, $0) < score(key, $1) } ?? ""
  }

  private static func score(_ key: String, _ known: String) -> Int {
    let last = { (dotted: String) in dotted.split(separator: ".").last.map(String.init) ?? "" }
    return min(
      NearestName.distance(key, known) * 2, NearestName.distance(last(key), last(known)) * 2 + 1)
  }
}
