import SystemSupport

/// Decisions that all ranks must take alike.
extension Communicator {
  /// Whether at least one rank passes true. Collective.
  package func anyRank(_ flag: Bool) throws(CommunicationError) -> Bool {
    try reduce(Int64(flag ? 1 : 0), .max) != 0
  }

  /// Whether all ranks pass true. Collective.
  package func allRanks(_ flag: Bool) throws(CommunicationError) -> Bool {
    try reduce(Int64(flag ? 1 : 0), .min) != 0
  }

  /// The text of the first rank that passes one, on all ranks; nil where none does. Collective.
  package func firstText(_ mine: String?) throws(CommunicationError) -> String? {
    let texts = try gather(Array((mine ?? "").utf8))
    return texts.lazy.map { String(decoding: $0, as: UTF8.self) }.first { !$0.isEmpty }
  }

  /// Runs `body`, which must not communicate, on every rank, and returns only if it succeeded on
  /// all of them. Otherwise every rank throws the same `agreed` error with the message of the first
  /// rank that failed, in one line. The message names that rank, unless all ranks failed with the
  /// same message. Collective.
  package func agree<Value>(_ body: () throws -> Value) throws(CommunicationError) -> Value {
    try agree(on: Result { try body() })
  }

  /// As `agree(_:)`, for work that is already done. Collective.
  package func agree<Value>(
    on result: Result<Value, any Error>
  ) throws(CommunicationError) -> Value {
    var mine = [UInt8]()
    if case .failure(let error) = result {
      // All ranks know it already, or it shows that they cannot be reached.
      if let error = error as? CommunicationError { throw error }
      let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
      let code = (error as? any ExitCoded)?.exitCode ?? 1
      mine = withUnsafeBytes(of: code) { Array($0) } + Array("\(host)\n\(line)".utf8)
    }
    let failures = try gather(mine).enumerated().compactMap { Failure(rank: $0, bytes: $1) }
    if let first = failures.first {
      let same = failures.count == size && failures.allSatisfy { $0.line == first.line }
      throw .agreed(
        rank: first.rank,
        message: same ? first.line : "rank \(first.rank) on \(first.host): \(first.line)",
        code: first.code)
    }
    guard case .success(let value) = result else {
      fatalError("agree: a failure on rank \(rank) was not gathered")
    }
    return value
  }

  /// Throws `replicasDiffer`, on all ranks, unless all ranks pass the same digest. The most
  /// frequent digest counts as the right one; if two are equally frequent, that of the lowest rank
  /// does. Collective.
  package func requireEqual(_ digest: [UInt8], of what: String) throws(CommunicationError) {
    let all = try gather(digest)
    let counts = all.map { one in all.count { $0 == one } }
    let right = all[counts.firstIndex(of: counts.max() ?? 0) ?? 0]
    let wrong = all.indices.filter { all[$0] != right }
    if !wrong.isEmpty { throw .replicasDiffer(what: what, ranks: wrong) }
  }
}

/// What a failing rank tells the others: exit code, host and message.
private struct Failure {
  let rank: Int
  let code: Int32
  let host: String
  let line: String

  /// Nil if the rank sent nothing, which means that it did not fail.
  init?(rank: Int, bytes: [UInt8]) {
    guard bytes.count >= 4 else { return nil }
    let text = String(decoding: bytes.dropFirst(4), as: UTF8.self)
    let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
    self.rank = rank
    code = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    host = String(parts.first ?? "")
    line = String(parts.last ?? "")
  }
}
