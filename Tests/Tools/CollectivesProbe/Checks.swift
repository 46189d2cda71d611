import COpenBLAS
import Collectives
import Foundation
import TensorCore

func checkRanks(_ ranks: any Communicator) throws {
  let numbers = try ranks.gatherEqual([UInt8(ranks.rank)])
  try expect(numbers == (0..<ranks.size).map { [UInt8($0)] }, "ranks are \(numbers)")
  let hosts = try ranks.hosts()
  try expect(
    hosts == [String](repeating: ranks.host, count: ranks.size) && !ranks.host.isEmpty,
    "hosts are \(hosts)")
  try expect(
    ranks.localRank == ranks.rank && ranks.localSize == ranks.size,
    "one node, but local rank \(ranks.localRank) of \(ranks.localSize)")
  try ranks.barrier()
}

func checkValues(_ ranks: any Communicator) throws {
  let (r, n) = (ranks.rank, ranks.size)
  let triangle = n * (n - 1) / 2
  try expect(
    try ranks.sum([Double(r) + 0.5, 1]) == [Double(triangle) + 0.5 * Double(n), Double(n)],
    "sum of doubles")
  try expect(try ranks.sum(r) == triangle, "sum of integers")
  try expect(try ranks.reduce([Double(r), -Double(r)], .max) == [Double(n - 1), 0], "max")
  try expect(try ranks.reduce([Double(r), -Double(r)], .min) == [0, -Double(n - 1)], "min")
  // Beyond what a double holds exactly.
  let large = Int64(1) << 60 + Int64(r)
  try expect(try ranks.reduce(large, .max) == Int64(1) << 60 + Int64(n - 1), "max of integers")
  try expect(try ranks.reduce(large, .min) == Int64(1) << 60, "min of integers")
  try expect(try ranks.reduce([Float](), .sum) == [], "nothing reduced")
  try expect(try ranks.anyRank(r == n - 1) && !ranks.anyRank(false), "anyRank")
  try expect(try ranks.allRanks(true), "allRanks of all")
  try expect(try ranks.allRanks(r != 0) == false, "allRanks but one")
}

func checkMemory(_ ranks: any Communicator) throws {
  let (r, n) = (ranks.rank, ranks.size)
  let context = ComputeContext()
  // Integers below 2^24: exact in any order of additions.
  let tensor = Tensor((0..<1000).map { Float($0 * (r + 1)) }, [10, 100], on: context)
  try ranks.sum(tensor)
  let factor = Float(n * (n + 1) / 2)
  try expect(tensor.floats == (0..<1000).map { Float($0) * factor }, "sum of a tensor")
  for root in 0..<n {
    let sent = Tensor((0..<33).map { Float($0 + 100 * r) }, [33], on: context)
    try ranks.broadcast(sent, from: root)
    try expect(
      sent.floats == (0..<33).map { Float($0 + 100 * root) }, "broadcast of a tensor from \(root)")
    let text = try ranks.broadcast(r == root ? Array("from \(root)".utf8) : [], from: root)
    try expect(String(decoding: text, as: UTF8.self) == "from \(root)", "broadcast of text")
  }
  // Rank 0 gives nothing, the others 10, 20, ... bytes.
  let blobs = try ranks.gather([UInt8](repeating: UInt8(r), count: 10 * r))
  try expect(
    blobs == (0..<n).map { [UInt8](repeating: UInt8($0), count: 10 * $0) }, "gather of blobs")
  let sum = try ranks.startSum(tensor)
  while try !sum.isComplete() {}
  try sum.wait()
  try expect(
    tensor.floats == (0..<1000).map { Float($0) * factor * Float(n) }, "sum in flight")
}

func checkDigests(_ ranks: any Communicator) throws {
  let right = [UInt8](repeating: 7, count: 16)
  try ranks.requireEqual(right, of: "weights")
  guard ranks.size > 1 else { return }
  let wrong = ranks.size - 1
  do {
    let mine = ranks.rank == wrong ? [UInt8](repeating: 8, count: 16) : right
    try ranks.requireEqual(mine, of: "weights")
    throw Wrong(description: "unequal digests passed")
  } catch let error as CommunicationError {
    try expect(error == .replicasDiffer(what: "weights", ranks: [wrong]), "\(error)")
  }
}

func checkAgreement(_ ranks: any Communicator) throws {
  try expect(try ranks.agree { 40 + 2 } == 42, "agreement on a value")
  do {
    try ranks.agree { throw Wrong(description: "no such folder") }
  } catch {
    try expect(
      error == .agreed(rank: 0, message: "no such folder", code: 1), "all fail alike: \(error)")
  }
  guard ranks.size > 1 else { return }
  do {
    try ranks.agree {
      if ranks.rank > 0 { throw BadSetting(description: "rank \(ranks.rank) is\nfull") }
    }
    throw Wrong(description: "rank 0 did not learn of the failure")
  } catch let error as CommunicationError {
    let message = "rank 1 on \(ranks.host): rank 1 is full"
    try expect(error == .agreed(rank: 1, message: message, code: 2), "\(error)")
  }
}

/// The last rank fails where the others do not; all must leave with exit code 2 and one line.
func failOnOneRank(_ ranks: any Communicator) throws {
  try ranks.agree {
    if ranks.rank == ranks.size - 1 { throw BadSetting(description: "disk full") }
  }
}

/// The last rank's replica differs; all must leave with exit code 1 and one line.
func differOnOneRank(_ ranks: any Communicator) throws {
  try ranks.requireEqual([ranks.rank == ranks.size - 1 ? 8 : 7], of: "weights")
}

/// The last rank fails outside of an agreement, while the others wait for it.
func abortOnOneRank(_ ranks: any Communicator) throws {
  if ranks.rank == ranks.size - 1 { throw Wrong(description: "lost") }
  try ranks.barrier()
}

func report(_ ranks: any Communicator) throws {
  let share = try CoreShare(of: ranks)
  let line = "\(ranks.rank)/\(ranks.size) threads \(share.threads) \(ranks.library)\n"
  FileHandle.standardOutput.write(Data(line.utf8))
}

func checkOpenBLAS(_ ranks: any Communicator) throws {
  let core = String(cString: copenblas_core())
  try expect(copenblas_better_core() == nil, "core \(core) was not repaired")
  try expect(CommandLine.arguments.last == "kept argument", "the arguments were lost")
  var c = [Float](repeating: .nan, count: 4)
  copenblas_sgemm(2, 2, 3, [1, 2, 3, 4, 5, 6], [1, 0, 0, 1, 1, 1], &c)
  try expect(c == [4, 5, 10, 11], "sgemm gives \(c)")
  try ranks.barrier()
}

/// Tells where the messages' memory lies, then waits to be asked to stop.
func waitForSignal(_ ranks: any Communicator) throws {
  signal(SIGUSR1) { _ in _exit(64) }
  try ranks.barrier()
  let folder = ProcessInfo.processInfo.environment["OMPI_MCA_btl_vader_backing_directory"] ?? "none"
  FileHandle.standardOutput.write(Data("waiting \(folder)\n".utf8))
  sleep(30)
  throw Wrong(description: "no signal came")
}
