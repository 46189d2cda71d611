import Datasets

/// Batches that a test makes.
final class MadeBatches: BatchProvider {
  private let make: () -> Batch
  init(_ make: @escaping () -> Batch) { self.make = make }
  func next() -> Batch { make() }
}
