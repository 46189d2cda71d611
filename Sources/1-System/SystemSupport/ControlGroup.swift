import Foundation

/// The limits that a container or a batch system sets for this process: control groups of version
/// 2, or of version 1 as containers show them.
package struct ControlGroup: Sendable {
  /// The CPU time per wall time that this process may use, in CPUs; nil if it is unlimited.
  package let cpuLimit: Double?
  /// The memory that this process may use, in bytes; nil if it is unlimited.
  package let memoryLimit: Int?

  /// - Parameters:
  ///   - root: where the control groups are mounted.
  ///   - membership: the contents of /proc/self/cgroup.
  package init(root: String = "/sys/fs/cgroup", membership: String? = nil) {
    let membership =
      membership ?? (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? ""
    let own = membership.split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3)
    // A limit applies to all groups below too. Inside a container the path may be that on the host.
    let parts = (own ?? "").split(separator: "/")
    let folders = (0...parts.count).map {
      ([root] + parts.prefix($0).map(String.init)).joined(separator: "/")
    }
    cpuLimit =
      (folders.compactMap { ControlGroup.cpus(ControlGroup.fields("\($0)/cpu.max")) }
      + [
        ControlGroup.cpus(
          ControlGroup.fields("\(root)/cpu/cpu.cfs_quota_us")
            + ControlGroup.fields("\(root)/cpu/cpu.cfs_period_us"))
      ].compactMap { $0 }).min()
    let memory = folders.map { "\($0)/memory.max" } + ["\(root)/memory/memory.limit_in_bytes"]
    // Version 1 writes "unlimited" as a number near 2^63.
    memoryLimit = memory.compactMap { ControlGroup.fields($0).first.flatMap { Int($0) } }
      .filter { $0 < 1 << 60 }.min()
  }

  /// "quota period" in microseconds; "max", or a negative quota, is no limit.
  private static func cpus(_ fields: [Substring]) -> Double? {
    guard fields.count == 2, let quota = Double(fields[0]), let period = Double(fields[1]),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }

  private static func fields(_ path: String) -> [Substring] {
    ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(
      whereSeparator: \.isWhitespace)
  }
}
