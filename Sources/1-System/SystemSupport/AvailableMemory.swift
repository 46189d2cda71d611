/// The memory that this process may still use, in bytes: what the system has available
/// (`/proc/meminfo`), or the limit of a control group if that is less.
package func availableMemory() -> Int {
  let available = ProcFS.bytes("MemAvailable", in: ProcFS.text("/proc/meminfo"))
  return min(available ?? 4_096_000_000, ControlGroup().memoryLimit ?? .max)
}
