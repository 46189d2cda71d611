import Collectives
import CommandSupport
import Foundation
import SystemSupport
import TensorCore

/// The CPU, its kernels, and which part of it a rank may use.
extension Doctor {
  /// Features that kernels use or will use, as Linux names them.
  package static let features = [
    "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_bf16", "amx_tile",
    "amx_bf16",
  ]

  /// The CPU's model and the features that kernels use, from the text of /proc/cpuinfo.
  package static func processor(
    cpuInfo: String, best: KernelTable.Level
  ) -> DoctorReport.Finding {
    let fields = cpuInfo.split(separator: "\n").map { $0.split(separator: ":", maxSplits: 1) }
    let value = { (key: String) in
      fields.first { $0.count == 2 && $0[0].trimmingCharacters(in: .whitespaces) == key }
        .map { $0[1].trimmingCharacters(in: .whitespaces) }
    }
    let flags = Set((value("flags") ?? "").split(separator: " ").map(String.init))
    let has = features.filter(flags.contains).joined(separator: " ")
    let found = "\(value("model name") ?? "unknown CPU"); \(has.isEmpty ? "no AVX2" : has)"
    if best == .portable {
      return .warning(
        "cpu", found,
        mend: "the plain C kernels are several times slower; use a CPU with AVX2, and in a virtual"
          + " machine pass the host's CPU through")
    }
    return .ok("cpu", found)
  }

  /// - Parameter asked: the environment variable `DIFFIT_KERNELS`, which chooses others than the
  ///   best.
  package static func kernels(
    best: KernelTable.Level, used: KernelTable.Level, asked: String?
  ) -> DoctorReport.Finding {
    let levels = KernelTable.Level.allCases.filter { $0.runs(on: best) }.map { "\($0)" }
    guard let asked else {
      let others = levels.filter { $0 != "\(best)" }.joined(separator: ", ")
      return .ok(
        "kernels", used.summary + (others.isEmpty ? "" : "; DIFFIT_KERNELS can ask for \(others)"))
    }
    if !levels.contains(asked) {
      return .warning(
        "kernels", "\(used.summary); DIFFIT_KERNELS=\(asked) is none that this CPU runs",
        mend: "unset DIFFIT_KERNELS, or set it to \(levels.joined(separator: ", "))",
        command: "unset DIFFIT_KERNELS")
    }
    if used != best {
      return .warning(
        "kernels", "\(used.summary), as DIFFIT_KERNELS asks; this CPU runs \(best)",
        mend: "unset DIFFIT_KERNELS", command: "unset DIFFIT_KERNELS")
    }
    return .ok("kernels", used.summary)
  }

  /// - Parameter repaired: the core that the repair at start asked for.
  package static func blas(
    core: String, better: String?, repaired: String? = nil
  ) -> DoctorReport.Finding {
    guard let better else {
      return .ok("openblas", "core \(core)" + (repaired == core ? ", repaired at start" : ""))
    }
    return .warning(
      "openblas", "core \(core), this CPU runs \(better)",
      mend: "unset DIFFIT_OPENBLAS_CORE, or set OPENBLAS_CORETYPE=\(better)",
      command: "unset DIFFIT_OPENBLAS_CORE; export OPENBLAS_CORETYPE=\(better)")
  }

  /// What `--bind-to none` is to Open MPI's mpirun, for a shell.
  private static let unbound = "export OMPI_MCA_hwloc_base_binding_policy=none"

  /// - Parameter online: physical cores of the machine.
  package static func affinity(
    _ share: CoreShare, threads: Int, localSize: Int, online: Int
  ) -> DoctorReport.Finding {
    let shared = share.sharers > 1 ? ", shared by \(share.sharers) ranks" : ""
    let found =
      "\(Format.quantity(threads, "thread")) on \(Format.quantity(share.cores, "core"))\(shared), of \(online)"
    if threads * share.sharers > share.cores {
      let mend =
        threads * localSize > online
        ? "start fewer ranks or threads: one core for each of \(threads * localSize) threads"
        : "start ranks with `mpirun --map-by slot:PE=\(threads)` or `--bind-to none`,"
          + " as launch/local.sh does"
      return .warning(
        "affinity", found + ": threads will wait for each other", mend: mend,
        command: threads * localSize > online ? nil : unbound)
    }
    if share.cores == 1 && share.sharers == 1 && online > localSize {
      let better = "mpirun --map-by slot:PE=\(online / localSize)"
      return .warning(
        "affinity", found + ": bound to one core while others idle",
        mend: "start ranks with `\(better)` or `--bind-to none`, as launch/local.sh does",
        command: unbound)
    }
    return .ok("affinity", found)
  }

  /// - Parameter threads: of all ranks of this node.
  package static func container(limit: Double?, threads: Int) -> DoctorReport.Finding {
    guard let limit else { return .ok("container", "no CPU limit") }
    let found =
      "control group grants \(limit) CPUs to \(Format.quantity(threads, "thread")) of this node"
    if limit >= Double(threads) { return .ok("container", found) }
    return .warning(
      "container", found + ": they will be halted in turns",
      mend: "start fewer ranks or threads, or raise the limit (docker --cpus, systemd CPUQuota)")
  }

  /// - Parameter ranks: of this node.
  package static func memory(info: String, limit: Int?, ranks: Int) -> DoctorReport.Finding {
    guard let total = ProcFS.bytes("MemTotal", in: info),
      let available = ProcFS.bytes("MemAvailable", in: info)
    else {
      return .warning("memory", "/proc/meminfo cannot be read", mend: "mount /proc")
    }
    let free = min(available, limit ?? .max)
    let found =
      "\(Format.bytes(free)) available of \(Format.bytes(total))"
      + (limit.map { ", control group limit \(Format.bytes($0))" } ?? "")
    if free >= ranks << 30 { return .ok("memory", found) }
    return .warning(
      "memory", found + ": less than 1 GiB per rank",
      mend: "start fewer ranks, end other programs, or lower train.micro_batch")
  }

  /// - Parameter fabric: whether there is a network that needs locked memory.
  package static func limits(_ text: String, fabric: Bool) -> DoctorReport.Finding {
    // A row: name (several words), soft limit, hard limit, unit.
    let soft = { (name: String) -> String in
      text.split(separator: "\n").first { $0.hasPrefix(name) }
        .flatMap { $0.dropFirst(name.count).split(separator: " ").first }.map(String.init)
        ?? "unknown"
    }
    let (files, locked) = (soft("Max open files"), soft("Max locked memory"))
    let (memory, processes) = (soft("Max address space"), soft("Max processes"))
    let found =
      "open files \(files), locked memory \(locked), address space \(memory), processes \(processes)"
    if let files = Int(files), files < 1024 {
      return .warning(
        "limits", found, mend: "raise it: each rank and each file takes one",
        command: "ulimit -n 1024")
    }
    if Int(memory) != nil {
      return .warning(
        "limits", found, mend: "raise it: address space is not memory used",
        command: "ulimit -v unlimited")
    }
    if let bytes = Int(locked), fabric, bytes < 1 << 30 {
      return .warning(
        "limits", found,
        mend: "raise it: InfiniBand needs locked memory (limits.conf has it for good)",
        command: "ulimit -l unlimited")
    }
    return .ok("limits", found)
  }
}
