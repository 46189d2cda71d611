import LinearAlgebra
import TensorCore

/// The profile of a power-function average: the weights of the run at t images contribute in
/// proportion to t^gamma. Its length is its standard deviation as a share of the images seen, so
/// that it grows with the run.
///
/// Source: Karras et al., arXiv:2312.02696, section 3 and algorithms 2 and 3.
///
/// ```swift
/// import Optimization
///
/// let profile = PowerFunctionProfile(length: 0.10)
/// print(profile.gamma)  // 6.94
/// ```
public struct PowerFunctionProfile: Sendable, Hashable {
  /// Lengths that have a profile with a positive exponent.
  public static let lengths = 0.001...0.28

  /// The relative standard deviation.
  public let length: Double
  /// The exponent: the largest root of g^3 + 7 g^2 + (16 - length^-2) g + 12 - length^-2.
  public let gamma: Double

  /// The profile of this length, within `lengths`.
  public init(length: Double) {
    invariant(Self.lengths.contains(length), "PowerFunctionProfile: length \(length)")
    self.length = length
    let s = 1 / (length * length)
    // Newton's method from a point above the largest root, from where it only falls.
    var (root, next) = (Double.infinity, s.squareRoot())
    while next < root {
      root = next
      let value = ((root + 7) * root + 16 - s) * root + 12 - s
      next = root - value / ((3 * root + 14) * root + 16 - s)
    }
    gamma = root
  }

  /// The weight of the old average in an update: (1 - batch / t)^(gamma + 1) with t the images seen
  /// after the step.
  public func beta(batch: Int, imagesSeen: Int) -> Double {
    guard imagesSeen > 0 else { return 0 }
    return PortableMath.pow(Double(imagesSeen) / Double(imagesSeen + batch), gamma + 1)
  }

  /// An average as it was after some images.
  public struct Snapshot: Sendable, Hashable {
    /// Images seen.
    public let images: Int
    /// What was averaged with.
    public let profile: PowerFunctionProfile

    /// An average of this profile after these images.
    public init(images: Int, profile: PowerFunctionProfile) {
      (self.images, self.profile) = (images, profile)
    }

    /// The inner product of two profiles, each cut off at its images.
    func dot(_ other: Snapshot) -> Double {
      let (a, b) = (profile.gamma, other.profile.gamma)
      let (ta, tb) = (Double(images), Double(other.images))
      let overlap = PortableMath.pow(min(ta, tb) / max(ta, tb), ta < tb ? b : a)
      return (a + 1) * (b + 1) * overlap / ((a + b + 1) * max(ta, tb))
    }
  }

  /// The factors of snapshots whose sum is nearest to an average with this profile after `images`
  /// images; they add up to 1.
  ///
  /// - Parameter snapshots: none after `images`.
  /// - Returns: nil where the snapshots depend on each other.
  public func coefficients(of snapshots: [Snapshot], images: Int) -> [Double]? {
    let wanted = Snapshot(images: images, profile: self)
    let rows = snapshots.map { row in snapshots.map { row.dot($0) } }
    guard
      let found = LeastSquares.solve(
        rows, targets: snapshots.map { $0.dot(wanted) }, dependence: 1e-12)
    else { return nil }
    let total = found.reduce(0, +)
    return total.isFinite && total != 0 ? found.map { $0 / total } : nil
  }
}
