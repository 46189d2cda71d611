import Benchmarking
import Collectives
import CommandSupport
import SystemSupport
import TensorCore

/// What differs between ranks.
extension Doctor {
  /// Compares all ranks, and times their messages; nil on one rank. Collective.
  package static func job(
    _ communicator: any Communicator, threads: Int
  ) throws(CommunicationError) -> DoctorReport.Job? {
    guard communicator.size > 1 else { return nil }
    let mine = DoctorReport.Identity(
      host: communicator.host, version: Build.version,
      binary: (try? Checksum.ofFile("/proc/self/exe").digest) ?? "unreadable",
      mpi: communicator.library, kernels: "\(KernelTable.best.level)", threads: threads,
      cpus: CoreSet.allowed?.description ?? "unknown")
    let all = try gatherEncoded(mine, over: communicator)
    let clocks = try ClockOffset.measure(communicator)
    return DoctorReport.Job(
      ranks: all, clocks: clocks, allReduce: try AllReduceTiming.measure(communicator))
  }

  /// Whether all ranks run one version.
  package static func versions(_ ranks: [DoctorReport.Identity]) -> Finding {
    compared(ranks.map(\.version), "versions", "diffit ") {
      .wrong("versions", $0, mend: "install one version on all hosts")
    }
  }

  /// Whether all ranks run the same program file, by its checksum.
  package static func binaries(_ ranks: [DoctorReport.Identity]) -> Finding {
    compared(ranks.map { String($0.binary.prefix(16)) }, "binaries", "xxh128 ") {
      .warning("binaries", $0, mend: "copy one build to all hosts: another may compute other bits")
    }
  }

  /// Whether all ranks use one MPI library.
  package static func libraries(_ ranks: [DoctorReport.Identity]) -> Finding {
    compared(ranks.map(\.mpi), "libraries", "") {
      .wrong("libraries", $0, mend: "install one MPI library on all hosts")
    }
  }

  /// Whether all ranks' best kernels are of one instruction set.
  package static func kernelsOfRanks(_ ranks: [DoctorReport.Identity]) -> Finding {
    compared(ranks.map(\.kernels), "kernel sets", "") {
      .warning(
        "kernel sets", $0 + ": all will use the least of them",
        mend: "run on hosts of one kind, or set DIFFIT_KERNELS alike on all")
    }
  }

  /// Whether all ranks have the same number of threads.
  package static func threadsOfRanks(_ ranks: [DoctorReport.Identity]) -> Finding {
    compared(ranks.map { Format.quantity($0.threads, "thread") }, "threads", "") {
      .warning(
        "threads", $0 + ": the others wait for those with fewer",
        mend: "give each rank as many cores (mpirun --map-by slot:PE=N), or set train.threads")
    }
  }

  /// Ranks of a host share cores on purpose where their masks are equal, as without binding;
  /// whether the cores suffice then is the affinity check's business. Masks that overlap in part
  /// are a mistake.
  package static func masks(_ ranks: [DoctorReport.Identity]) -> Finding {
    let sets = ranks.map { CoreSet($0.cpus)?.numbers ?? [] }
    for (a, b) in ranks.indices.flatMap({ a in ranks.indices[(a + 1)...].map { (a, $0) } })
    where ranks[a].host == ranks[b].host && sets[a] != sets[b] {
      let common = sets[a].intersection(sets[b])
      guard !common.isEmpty else { continue }
      return .warning(
        "masks",
        "ranks \(a) and \(b) on \(ranks[a].host) may run on CPUs \(ranks[a].cpus) and"
          + " \(ranks[b].cpus): they share \(common.count) of them, and not the rest",
        mend: "bind all ranks of a host alike: launch/local.sh, or mpirun --map-by slot:PE=N")
    }
    let shared = ranks.indices.contains { a in
      ranks.indices.contains { $0 != a && ranks[$0].host == ranks[a].host && sets[$0] == sets[a] }
    }
    return .ok("masks", shared ? "equal on hosts that share cores" : "no core is shared")
  }

  /// - Parameter hosts: in the order of ranks.
  package static func clocks(_ offsets: [ClockOffset], hosts: [String]) -> Finding {
    let far = offsets.indices.filter { offsets[$0].seconds.magnitude > 1 }
    guard let worst = far.max(by: { offsets[$0].seconds.magnitude < offsets[$1].seconds.magnitude })
    else {
      let largest = offsets.map { $0.seconds.magnitude + $0.uncertainty }.max() ?? 0
      return .ok("clocks", "within \(Format.time(largest)) of the first rank's")
    }
    let offset = offsets[worst].seconds
    return .warning(
      "clocks",
      "the clock of rank \(worst) on \(hosts[worst]) is \(Format.time(offset.magnitude))"
        + " \(offset > 0 ? "ahead of" : "behind") the first rank's"
        + (far.count > 1 ? "; \(far.count) ranks are more than 1 s off" : ""),
      mend: "let chrony or ntpd keep the hosts' clocks: logs and file times are compared")
  }

  /// - Parameter timings: by size, ascending.
  package static func messages(_ timings: [AllReduceTiming]) -> Finding {
    guard let small = timings.first, let large = timings.last else {
      return .ok("messages", "not measured")
    }
    let found =
      "a sum of \(Format.bytes(small.bytes)) takes \(Format.time(small.seconds)),"
      + " \(Format.bytes(large.bytes)) go at \(Format.decimal(large.gigabytesPerSecond, 2)) GB/s"
      + " per rank"
    if small.seconds > 1e-3 {
      return .warning(
        "messages", found + ": each sum waits long",
        mend: "give each rank a core of its own, and see the lines on transports and networks")
    }
    if large.bytes >= 1 << 20 && large.gigabytesPerSecond < 0.125 {
      return .warning(
        "messages", found + ": below 1 Gb/s",
        mend: "see the lines on transports and networks: a faster network may be left unused")
    }
    return .ok("messages", found)
  }

  /// `prefix value` where all are equal; else a complaint of which rank has what.
  private static func compared(
    _ values: [String], _ topic: String, _ prefix: String, complain: (String) -> Finding
  ) -> Finding {
    var ranks: [String: [Int]] = [:]
    for (rank, value) in values.enumerated() { ranks[value, default: []].append(rank) }
    guard ranks.count > 1 else {
      return .ok(topic, prefix + (values.first ?? "") + " on all ranks")
    }
    let groups = ranks.sorted { $0.value[0] < $1.value[0] }.map {
      "\(prefix)\($0.key) on rank\($0.value.count == 1 ? "" : "s") \(Format.list($0.value, limit: 8))"
    }
    return complain(groups.joined(separator: ", "))
  }
}
