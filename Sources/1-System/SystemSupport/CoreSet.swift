import Foundation

/// A set of logical CPUs in the kernel's notation, such as "0-3,8,10-11".
package struct CoreSet: Sendable, Equatable, CustomStringConvertible {
  /// The numbers of the CPUs.
  package let numbers: Set<Int>
  /// The list as it was given.
  package let description: String

  /// Parses a list; nil if it is not such a list, or names a CPU beyond 2^16.
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

  /// The CPUs that this process may run on (`Cpus_allowed_list` of /proc/self/status); nil if the
  /// kernel does not tell.
  package static var allowed: CoreSet? {
    let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    return status?.split(separator: "\n")
      .first { $0.hasPrefix("Cpus_allowed_list:") }
      .flatMap { CoreSet($0.dropFirst("Cpus_allowed_list:".count)) }
  }

  /// The CPUs of the machine that are online; nil if the kernel does not tell.
  package static var online: CoreSet? {
    (try? String(contentsOfFile: "/sys/devices/system/cpu/online", encoding: .utf8))
      .flatMap { CoreSet($0) }
  }

  /// The number of physical cores that these CPUs belong to; the number of CPUs if the kernel does
  /// not tell.
  package var physicalCount: Int {
    Set(
      numbers.map { number in
        let path = "/sys/devices/system/cpu/cpu\(number)/topology/thread_siblings_list"
        return (try? String(contentsOfFile: path, encoding: .utf8)) ?? "\(number)"
      }
    ).count
  }
}
