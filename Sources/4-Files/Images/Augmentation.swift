import TensorCore

/// What the augmentation pipe does to one image. With everything at zero the image stays as it is.
package struct Augmentation: Sendable, Equatable {
  /// Mirrored left to right.
  package var flipX = false
  /// Mirrored top to bottom.
  package var flipY = false
  /// Enlarged by 2^(0.2 scale).
  package var scale = 0.0
  /// Rotated, in turns within [-1/2, 1/2].
  package var turn = 0.0
  /// Stretched by 2^(0.2 stretch) along an axis and shrunk as much across it.
  package var stretch = 0.0
  /// The axis' angle, in turns.
  package var axis = 0.0
  /// Shifted right by an eighth of the width times this.
  package var shiftX = 0.0
  /// Shifted down by an eighth of the height times this.
  package var shiftY = 0.0

  /// Augmentation labels per image.
  package static let labelCount = 9

  /// No change.
  package init() {}

  /// Only mirrored left to right.
  package static var mirrored: Augmentation {
    var result = Augmentation()
    result.flipX = true
    return result
  }

  /// Whether `data.flip` mirrors the image at a position of the run's sequence: a fair coin, whose
  /// stream the pipe does not use.
  package static func mirrors(seed: UInt64, position: UInt64) -> Bool {
    RandomStream(seed: seed, .augmentation, substream: 1, position: position).uniform(0) < 0.5
  }

  /// The nine numbers that the network is told: x-flip, y-flip, scale, cos r - 1, sin r, w cos a, w
  /// sin a, tx, ty.
  package var labels: [Float] {
    let rotation = PortableMath.sinCosOfTurns(turn)
    let direction = PortableMath.sinCosOfTurns(axis)
    return [
      flipX ? 1 : 0, flipY ? 1 : 0, Float(scale), Float(rotation.cos - 1), Float(rotation.sin),
      Float(stretch * direction.cos), Float(stretch * direction.sin), Float(shiftX), Float(shiftY),
    ]
  }

  /// Whether pixels must be interpolated; flips only move them.
  var isWarp: Bool {
    scale != 0 || turn != 0 || stretch != 0 || shiftX != 0 || shiftY != 0
  }

  /// Maps a place in the new image to its place in the old one; both in pixels from the centre, x
  /// to the right and y downwards.
  func sourceMap(height: Int, width: Int) -> AffineMap {
    let (grow, widen) = (
      PortableMath.pow(2, 0.2 * scale), PortableMath.pow(2, 0.2 * stretch)
    )
    return AffineMap(scaleX: 1 / grow, scaleY: 1 / grow)
      * AffineMap(turns: turn)
      * AffineMap(turns: -axis) * AffineMap(scaleX: 1 / widen, scaleY: widen)
      * AffineMap(turns: axis)
      * AffineMap(shiftX: -shiftX * Double(width) / 8, shiftY: -shiftY * Double(height) / 8)
  }
}

/// The augmentation pipe of EDM: flips, scale, rotation, anisotropy, translation.
///
/// Source: Karras et al., arXiv:2206.00364, appendix F.2. Random numbers are drawn from
/// (seed, augmentation, position), so an image is augmented the same way on any number of ranks and
/// in another way each time it comes.
package struct AugmentationPipe: Sendable {
  /// Probability of each change except the x-flip, which always happens to half of the images.
  package let probability: Double

  /// - Parameter probability: above 0, at most 1.
  package init(probability: Double) {
    invariant(
      probability > 0 && probability <= 1, "AugmentationPipe: probability \(probability)")
    self.probability = probability
  }

  /// What happens to the image at a position of the run's sequence.
  package func draw(seed: UInt64, position: UInt64) -> Augmentation {
    let stream = RandomStream(seed: seed, .augmentation, position: position)
    func happens(_ probability: Double, _ draw: Int) -> Bool {
      stream.uniform(draw) < probability
    }
    var result = Augmentation()
    result.flipX = happens(0.5, 0)
    result.flipY = happens(0.5 * probability, 1)
    if happens(probability, 2) { result.scale = stream.normal(12) }
    if happens(probability, 3) { result.turn = stream.uniform(4) - 0.5 }
    if happens(probability, 5) {
      result.stretch = stream.normal(13)
      if happens(0.5, 6) { result.axis = stream.uniform(7) - 0.5 }
    }
    if happens(probability, 8) {
      result.shiftX = stream.normal(14)
      result.shiftY = stream.normal(15)
    }
    return result
  }

  /// Augments one image in place.
  ///
  /// - Parameter image: [height, width, 3] in [-1, 1]; a warp may overshoot this range a little.
  /// - Returns: the nine labels.
  package func callAsFunction(
    _ image: UnsafeMutableBufferPointer<Float>, height: Int, width: Int, seed: UInt64,
    position: UInt64
  ) -> [Float] {
    let augmentation = draw(seed: seed, position: position)
    augmentation.apply(to: image, height: height, width: width)
    return augmentation.labels
  }
}

/// An affine map of the plane: x' = xx x + xy y + x0, y' = yx x + yy y + y0.
struct AffineMap {
  var xx = 1.0
  var xy = 0.0
  var x0 = 0.0
  var yx = 0.0
  var yy = 1.0
  var y0 = 0.0

  init(scaleX: Double, scaleY: Double) { (xx, yy) = (scaleX, scaleY) }

  init(shiftX: Double, shiftY: Double) { (x0, y0) = (shiftX, shiftY) }

  init(turns: Double) {
    let (sine, cosine) = PortableMath.sinCosOfTurns(turns)
    (xx, xy, yx, yy) = (cosine, -sine, sine, cosine)
  }

  func callAsFunction(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
    (xx * x + xy * y + x0, yx * x + yy * y + y0)
  }

  /// The map that applies `b` first.
  static func * (a: AffineMap, b: AffineMap) -> AffineMap {
    var result = a
    (result.xx, result.yx) = (a.xx * b.xx + a.xy * b.yx, a.yx * b.xx + a.yy * b.yx)
    (result.xy, result.yy) = (a.xx * b.xy + a.xy * b.yy, a.yx * b.xy + a.yy * b.yy)
    (result.x0, result.y0) = a(b.x0, b.y0)
    return result
  }
}
