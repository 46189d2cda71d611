import Foundation
import SystemSupport

/// What a rank may use of its node's cores, and how many threads follow from that.
package struct CoreShare: Sendable, Equatable, Codable {
  /// Physical cores in this rank's affinity mask.
  package let cores: Int
  /// Ranks of this node, this one included, whose masks overlap this rank's.
  package let sharers: Int
  /// CPUs' worth of time that the control group leaves for each rank of the node; nil where unlimited.
  package let limit: Double?
  /// Threads a launcher asked for (`DIFFIT_THREADS`); 0 where it did not.
  package let asked: Int

  package init(cores: Int, sharers: Int, limit: Double? = nil, asked: Int = 0) {
    (self.cores, self.sharers, self.limit, self.asked) = (cores, sharers, limit, asked)
  }

  /// Compares the masks of all ranks; collective.
  package init(
    of communicator: any Communicator,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CommunicationError) {
    let mask = CoreSet.allowed?.description ?? ""
    let all = try communicator.gather(Array("\(communicator.host)\n\(mask)".utf8))
    let lines = all.map { String(decoding: $0, as: UTF8.self).split(separator: "\n") }
    let mine = CoreSet(mask)?.numbers ?? []
    let sharers = lines.count { line in
      guard line.first.map(String.init) == communicator.host, line.count == 2 else { return false }
      return !(CoreSet(line[1])?.numbers ?? []).isDisjoint(with: mine)
    }
    self.init(
      cores: CoreSet(mask)?.physicalCount ?? 1, sharers: max(sharers, 1),
      limit: ControlGroup().cpuLimit.map { $0 / Double(communicator.localSize) },
      asked: environment["DIFFIT_THREADS"].flatMap { Int($0) } ?? 0)
  }

  /// Threads for this rank: as asked, else an even part of the cores, at least one.
  package var threads: Int {
    if asked > 0 { return asked }
    return max(1, Int(min(Double(cores / sharers), limit ?? .infinity)))
  }
}
