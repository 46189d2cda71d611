import Collectives
import CommandSupport
import Foundation
import SystemSupport

/// MPI: the library, its launcher, the ways its messages take, and what it leaves behind.
extension Doctor {
  /// The MPI library and its launcher.
  package static func mpi(_ communicator: any Communicator, launcher: String?)
    -> DoctorReport.Finding
  {
    let found =
      "\(MPILibrary.version); rank \(communicator.rank) of \(communicator.size),"
      + " \(communicator.localSize) on this node; launcher \(launcher ?? "none")"
    guard launcher != nil || communicator.size > 1 else {
      return .warning(
        "mpi", found, mend: "install openmpi-bin (launch/setup.sh does), or load the MPI module",
        command: "sudo apt-get install openmpi-bin")
    }
    return .ok("mpi", found)
  }

  /// The first `mpirun` on a search path.
  package static func mpirun(path: String) -> String? {
    path.split(separator: ":").map { "\($0)/mpirun" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// - Parameters:
  ///   - setting: the MPI library's settings by name.
  ///   - fabrics: InfiniBand-like devices of this node.
  package static func transports(
    setting: (String) -> String?, fabrics: [String]
  ) -> DoctorReport.Finding {
    guard let pml = setting("pml"), let btl = setting("btl") else {
      return .ok("transports", "chosen by the library itself (not Open MPI)")
    }
    let shown = { (name: String, value: String?) in
      "\(name) \(value.map { $0.isEmpty ? "any" : $0 } ?? "unknown")"
    }
    let found =
      [shown("PML", pml), shown("BTL", btl), shown("MTL", setting("mtl"))].joined(separator: ", ")
      + (fabrics.isEmpty ? "; no InfiniBand" : "; devices \(fabrics.joined(separator: " "))")
    // "^a,b" excludes; a plain list includes only what it names.
    let names = Set(pml.drop { $0 == "^" }.split(separator: ",").map(String.init))
    let allowsUCX =
      pml.isEmpty || (pml.hasPrefix("^") ? !names.contains("ucx") : names.contains("ucx"))
    if !fabrics.isEmpty && !allowsUCX {
      return .warning(
        "transports", found + " is not used: messages between nodes go over TCP",
        mend: "mpirun --mca pml ucx --mca osc ucx (the distribution's settings switch UCX off)",
        command: "export OMPI_MCA_pml=ucx OMPI_MCA_osc=ucx")
    }
    return .ok("transports", found)
  }

  /// - Parameters:
  ///   - interfaces: networks that are up.
  ///   - chosen: Open MPI's `btl_tcp_if_include`; nil where the library has no such setting.
  package static func networks(
    _ interfaces: [String], chosen: String?, hosts: Int
  ) -> DoctorReport.Finding {
    let found =
      "\(Format.quantity(hosts, "host")); up: \(interfaces.isEmpty ? "none" : interfaces.joined(separator: " "))"
    guard let chosen, chosen.isEmpty, hosts > 1, interfaces.count > 1 else {
      return .ok("networks", found + (chosen.map { $0.isEmpty ? "" : "; TCP uses \($0)" } ?? ""))
    }
    return .warning(
      "networks", found + ": MPI may pick one that does not reach the other hosts",
      mend:
        "mpirun --mca btl_tcp_if_include NAME (and oob_tcp_if_include) for the fast one, if that is"
        + " \(interfaces[0])",
      command: "export OMPI_MCA_btl_tcp_if_include=\(interfaces[0])"
        + " OMPI_MCA_oob_tcp_if_include=\(interfaces[0])")
  }

  /// - Parameter ranks: of this node; each keeps a few MB of message buffers in /dev/shm.
  package static func sharedMemory(free: Int?, ranks: Int) -> DoctorReport.Finding {
    guard let free else {
      return .wrong(
        "shm", "/dev/shm is missing: ranks of a node cannot share memory",
        mend: "mount it (in a container: docker --shm-size 1g)",
        command: "sudo mount -t tmpfs -o mode=1777 tmpfs /dev/shm")
    }
    let found = "/dev/shm has \(Format.bytes(free)) free"
    if free >= ranks << 24 { return .ok("shm", found) }
    return .wrong(
      "shm", found + ", less than 16 MiB for each of \(Format.quantity(ranks, "rank"))",
      mend: "docker --shm-size 1g, or remove what fills /dev/shm")
  }

  /// Segments that dead jobs have left, by their names in /dev/shm.
  package static func leftovers(_ segments: [String]) -> DoctorReport.Finding {
    guard let first = segments.first else {
      return .ok("leftovers", "no message segments of dead jobs in /dev/shm")
    }
    return .warning(
      "leftovers",
      "\(Format.quantity(segments.count, "message segment")) of dead jobs in /dev/shm, first \(first)",
      mend: "remove them",
      command: "rm \(segments.map { "/dev/shm/\($0)" }.joined(separator: " "))")
  }

  /// This user's Open MPI segments that no process has mapped: `kill -9` leaves them behind. Those
  /// of launch/local.sh lie one folder deeper.
  package static func leftoverSegments(folder: String = "/dev/shm") -> [String] {
    let top = ProcFS.names(in: folder)
    let inner = top.filter { $0.hasPrefix("diffit.") }
      .flatMap { own in ProcFS.names(in: "\(folder)/\(own)").map { "\(own)/\($0)" } }
    let segments = (top + inner).filter { name in
      let file = name.split(separator: "/").last ?? ""
      return (file.hasPrefix("vader_segment.") || file.hasPrefix("sm_segment."))
        && owner(of: "\(folder)/\(name)") == getuid()
    }
    guard !segments.isEmpty else { return [] }
    let maps = ProcFS.names(in: "/proc").filter { Int($0) != nil }.map {
      ProcFS.text("/proc/\($0)/maps")
    }
    return segments.filter { name in !maps.contains { $0.contains("\(folder)/\(name)") } }
  }

  private static func owner(of path: String) -> UInt32? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    return (attributes?[.ownerAccountID] as? NSNumber)?.uint32Value
  }
}
