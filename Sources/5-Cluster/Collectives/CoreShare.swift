import Foundation
import SystemSupport

/// How many of its host's cores a rank may use, and how many threads follow from that.
package struct CoreShare: Sendable, Equatable, Codable {
  /// Physical cores in this rank's affinity mask.
  package let cores: Int
  /// How many ranks of this host, this one included, have a mask that overlaps this rank's mask.
  package let sharers: Int
  /// The CPU time that the control group leaves for each rank of the host, in CPUs; nil if it is
  /// unlimited.
  package let limit: Double?
  /// The number of threads that a launcher requested (`DIFFIT_THREADS`); 0 if it requested none.
  package let asked: Int

  /// A share with these values.
  package init(cores: Int, sharers: Int, limit: Double? = nil, asked: Int = 0) {
    (self.cores, self.sharers, self.limit, self.asked) = (cores, sharers, limit, asked)
  }

  /// Determines this rank's share from the masks of all ranks. Collective.
  package init(
    of communicator: any Communicator,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(CommunicationError) {
    let asked = try communicator.agree { try ThreadRequest(environment) }
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
      asked: asked.count)
  }

  /// The number of threads for this rank: the requested one, or else an equal part of the cores, at
  /// least 1.
  package var threads: Int {
    if asked > 0 { return asked }
    return max(1, Int(min(Double(cores / sharers), limit ?? .infinity)))
  }
}
