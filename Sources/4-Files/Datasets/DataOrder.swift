import Synchronization
import TensorCore

/// Which image of a data set is at which position of a run's sequence of images.
///
/// Epoch e is a Fisher-Yates permutation of the set, drawn from (seed, e): every image comes once
/// per epoch, and the order depends only on the seed. Safe from several threads at once.
package final class DataOrder: Sendable {
  /// The run's seed.
  package let seed: UInt64
  /// Images in the set.
  package let count: Int
  /// The last two epochs asked for, newest last: a batch may straddle their border.
  private let recent = Mutex<[(epoch: UInt64, permutation: [UInt32])]>([])

  /// The order of `count` images, at least one.
  package init(seed: UInt64, count: Int) {
    invariant(count > 0 && count <= UInt32.max, "DataOrder: \(count) images")
    (self.seed, self.count) = (seed, count)
  }

  /// The data-set index at a position, counted in images since the run began.
  package func index(at position: UInt64) -> Int {
    let (epoch, place) = position.quotientAndRemainder(dividingBy: UInt64(count))
    return recent.withLock { recent in
      if let known = recent.first(where: { $0.epoch == epoch }) {
        return Int(known.permutation[Int(place)])
      }
      let permutation = permutation(epoch)
      recent = recent.suffix(1) + [(epoch, permutation)]
      return Int(permutation[Int(place)])
    }
  }

  private func permutation(_ epoch: UInt64) -> [UInt32] {
    let stream = RandomStream(seed: seed, .order, position: epoch)
    var indices = (0..<UInt32(count)).map { $0 }
    for last in stride(from: count - 1, to: 0, by: -1) {
      indices.swapAt(last, Int(stream.uniform(last) * Double(last + 1)))  // below last + 1
    }
    return indices
  }
}
