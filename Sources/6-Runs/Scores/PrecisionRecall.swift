import Collectives
import LinearAlgebra
import TensorCore

/// Improved precision and recall: the share of the samples that lie among the reference, and the
/// share of the reference that lies among the samples. A row lies among a set if it is inside a
/// ball around one of the set's rows; the ball reaches to that row's k-th nearest neighbour in the
/// set, edge included.
///
/// Source: Kynkaanniemi et al., arXiv:1904.06991, eq. (1), algorithm 1.
///
/// Every decision is that of exact f64 distances: products in f32 decide where their error bound
/// allows it (`DistanceBound`), and the few near ties are looked at again. The result therefore
/// depends neither on threads nor on ranks. torch-fidelity decides by distances from f32 products;
/// it gives the same unless a decision hangs on the last bits, and always when it is given the same
/// features as f64.
///
/// Rows stay where they are: a rank compares its own with blocks that every rank shows to all.
/// Memory beyond the rows: a block (16 MB for 2048 features) and 4 MB per thread. Operations: 2
/// width (N + M)^2, those of membership fewer, since who has been found inside a ball drops out.
package struct PrecisionRecall: Sendable, Equatable {
  /// Share of the samples that lie among the reference.
  package let precision: Double
  /// Share of the reference that lies among the samples.
  package let recall: Double

  /// Computes both from the rows of all ranks. Collective.
  ///
  /// - Parameters:
  ///   - samples: this rank's [n, width]; ranks hold different images.
  ///   - reference: this rank's [m, width].
  ///   - neighbours: k; a row is no neighbour of its own, one equal to it is.
  /// - Throws: `tooFewImages` below k + 1 in all, `widthMismatch`, `nonFiniteFeature`, agreed on by
  ///   all ranks; `CommunicationError`.
  package static func of(
    samples: FeatureMatrix, reference: FeatureMatrix, neighbours: Int = 3,
    over communicator: any Communicator, on threads: ThreadPool
  ) throws -> PrecisionRecall {
    invariant(neighbours > 0, "PrecisionRecall: \(neighbours) neighbours")
    Matrices.prepare()
    let images = try communicator.sum([Double(samples.count), Double(reference.count)])
    try communicator.agree {
      try check(samples, reference, images: images.map { Int($0) }, neighbours: neighbours)
    }
    let scene = NeighbourScene(threads: threads, communicator: communicator)
    let sampleRadii = try scene.radii(of: samples, neighbours: neighbours)
    let recalled = try scene.insiders(of: samples, sampleRadii, among: reference)
    let referenceRadii = try scene.radii(of: reference, neighbours: neighbours)
    let precise = try scene.insiders(of: reference, referenceRadii, among: samples)
    let found = try communicator.sum([Double(precise), Double(recalled)])
    return PrecisionRecall(precision: found[0] / images[0], recall: found[1] / images[1])
  }

  private static func check(
    _ samples: FeatureMatrix, _ reference: FeatureMatrix, images: [Int], neighbours: Int
  ) throws {
    guard samples.width == reference.width else {
      throw MetricsError.widthMismatch(
        metric: "pr", samples: samples.width, reference: reference.width)
    }
    for (side, count) in zip([MetricSide.samples, .reference], images) where count <= neighbours {
      throw MetricsError.tooFewImages(
        metric: "pr", side: side, found: count, needed: neighbours + 1)
    }
    try samples.requireFinite(.pool2048)
    try reference.requireFinite(.pool2048)
  }
}
