import Foundation

/// Limits of a process's memory, and what is said where they do not do.
package enum MemoryLimit {
  /// Bytes of address space that the program and its libraries take before it does anything, and
  /// per core, where OpenBLAS reserves a buffer.
  private static let (base, perCore) = (512 << 20, 128 << 20)

  /// Why the program cannot run with the limit of its address space (`ulimit -v`); nil where it can.
  /// With less than this, OpenBLAS asks again and again for memory that it does not get, and the
  /// program would never end.
  package static func problem(cores: Int) -> String? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t.max
    else { return nil }
    let needed = base + perCore * cores
    guard limit.rlim_cur < rlim_t(needed) else { return nil }
    return "ulimit -v: \(limit.rlim_cur >> 10) KiB of address space, expected at least"
      + " \(needed >> 10) for the program and its libraries on \(Format.quantity(cores, "core"));"
      + " raise it, or limit memory by a control group instead"
  }

  /// Ends the process with exit code 1 and a line, where memory was refused: nothing that needs
  /// memory can be done any more.
  package static func end(wanting bytes: Int) -> Never {
    StandardStreams.writeError(
      "diffit: \(Format.bytes(bytes)) of memory are refused by the system (ulimit -v, or the machine's"
        + " memory); raise the limit, or take less: a smaller --batch, train.batch or"
        + " train.micro_batch, or more hosts\n")
    _exit(1)
  }
}
