import Foundation
import Synchronization

/// The largest amount of memory that this process has used so far (peak RSS), in bytes, without
/// pages of memory-mapped files.
///
/// Mapped files are data sets as well as the program itself. The processes of a host share their
/// pages, and the system takes them back when it needs memory. The system records the peak of all
/// pages (`getrusage`) and the kinds of the present pages (`/proc/self/status`), so the present
/// pages of mapped files are subtracted from the peak. Pages of mapped files that the system has
/// already taken back are therefore included.
package func peakMemoryBytes() -> Int {
  var usage = rusage()
  guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
  let mapped = ProcFS.bytes("RssFile", in: ProcFS.text("/proc/self/status")) ?? 0
  let held = usage.ru_maxrss * 1024 - mapped
  return most.withLock { most in
    most = max(most, held)
    return most
  }
}

private let most = Mutex(0)
