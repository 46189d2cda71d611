import Collectives
import TensorCore

extension Communicator {
  /// The kernels that all ranks use: the least of their best ones, because bits differ between
  /// instruction sets. Collective.
  func agreedKernels() throws -> KernelTable {
    let level = try reduce(Int64(KernelTable.best.level.rawValue), .min)
    return KernelTable.Level(rawValue: Int(level)).flatMap { KernelTable($0) } ?? .best
  }

  /// This rank's threads, with the kernels that all ranks use. Collective.
  func agreedEngine() throws -> Engine {
    Engine(threadCount: try CoreShare(of: self).threads, kernels: try agreedKernels())
  }
}

extension KernelTable.Level {
  /// What to say where products of `precision` are slow here; nil where they are not.
  func warning(of precision: TrainSettings.Precision) -> String? {
    guard precision == .bf16 && !multipliesBF16 else { return nil }
    return
      "this CPU has no instructions for bf16: train.precision=fp32 is about twice as fast here,"
      + " bf16 takes less memory"
  }
}
