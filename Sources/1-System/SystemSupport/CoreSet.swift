import Foundation

/// Logical CPUs, in the kernel's notation: "0-3,8,10-11".
package struct CoreSet: Sendable, Equatable, CustomStringConvertible {
  /// The CPUs' numbers, as the kernel counts them from 0.
  package let numbers: Set<Int>
  /// The list as it was given: "0-3,8".
  package let description: String

  /// Nil where `list` is not such a list, or names a CPU beyond 2^16.
  package init?(_ list: some StringProtocol) {
    description = list.trimmingCharacters(in: .whitespacesAndNewlines)
    var numbers = Set<Int>()
    for part in description.split(separator: ",") {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil,
        first >= 0, last >= first, last < 1 << 16
      else { return nil }
      numbers.formUnion(first...last)
    }
    self.numbers = numbers
  }

  /// Those that the calling process may run on (`Cpus_allowed_list` of /proc/self/status).
  package static var allowed: CoreSet? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    return status?.split(separator: "\n")
      .first { $0.hasPrefix("Cpus_allowed_list:") }
      .flatMap { CoreSet($0.dropFirst("Cpus_allowed_list:".count)) }
  }

  /// Those that the machine runs.
  package static var online: CoreSet? {
    (try? String(contentsOfFile: "/sys/devices/system/cpu/online", encoding: .utf8))
      .flatMap { CoreSet($0) }
  }

  /// Number of physical cores behind the CPUs; the number of CPUs where the kernel does not tell.
  package var physicalCount: Int {
    Set(
      numbers.map { number in
        let path = "/sys/devices/system/cpu/cpu\(number)/topology/thread_siblings_list"
        return (try? String(contentsOfFile: path, encoding: .utf8)) ?? "\(number)"
      }
    ).count
  }
}
