/// Memory that this process may use, in bytes: what is available (`/proc/meminfo`), or less where a
/// control group limits it.
package func availableMemory() -> Int {
  let available = ProcFS.bytes("MemAvailable", in: ProcFS.text("/proc/meminfo"))
  return min(available ?? 4_096_000_000, ControlGroup().memoryLimit ?? .max)
}
