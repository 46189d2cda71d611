import Foundation
import Synchronization

/// Most memory that this process has held so far, in bytes.
///
/// Pages of mapped files are left out, of data sets as of the program itself: the processes of a
/// host share them, and the system takes them back when it needs room. The system keeps the most
/// that all pages ever were (`getrusage`), and tells the kinds of those that are there now
/// (`/proc/self/status`): what mapped files have now is taken from the former. Pages that the
/// system has taken back by then are counted.
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
