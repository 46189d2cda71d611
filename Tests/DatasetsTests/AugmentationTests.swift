import Datasets
import Images
import Testing

@Suite struct AugmentationTests {
  /// [12, 10, 3], rough: neighbouring pixels are far apart.
  private static let rough = (0..<12 * 10 * 3).map { index -> Float in
    let (y, x, c) = (index / 30, index / 3 % 10, index % 3)
    return Float((y * 37 + x * 101 + c * 59 + x * y * 13) % 256) / 127.5 - 1
  }

  private static func at(_ image: [Float], _ y: Int, _ x: Int, _ c: Int, width: Int) -> Float {
    image[(y * width + x) * 3 + c]
  }

  private func apply(
    to image: [Float] = rough, height: Int = 12, width: Int = 10,
    _ change: (inout Augmentation) -> Void
  ) -> [Float] {
    var augmentation = Augmentation()
    change(&augmentation)
    var result = image
    augmentation.apply(to: &result, height: height, width: width)
    return result
  }

  /// The largest difference between the result and `image` read at other places.
  private func difference(
    _ result: [Float], _ image: [Float] = rough, height: Int = 12, width: Int = 10,
    from place: (_ y: Int, _ x: Int) -> (y: Int, x: Int)
  ) -> Float {
    var worst: Float = 0
    for y in 0..<height {
      for x in 0..<width {
        let from = place(y, x)
        for c in 0..<3 {
          let wanted = Self.at(image, from.y, from.x, c, width: width)
          worst = max(worst, abs(Self.at(result, y, x, c, width: width) - wanted))
        }
      }
    }
    return worst
  }

  @Test func nothingLeavesTheImage() {
    #expect(apply { _ in } == Self.rough)
  }

  /// A warp so small that it is nearly none goes through both filters.
  @Test func filtersReconstructTheImage() {
    let result = apply { $0.scale = 1e-9 }
    #expect(result != Self.rough)
    #expect(difference(result) { ($0, $1) } < 2e-6)
  }

  @Test func flipsAreExact() {
    #expect(difference(apply { $0.flipX = true }) { ($0, 9 - $1) } == 0)
    #expect(difference(apply { $0.flipY = true }) { (11 - $0, $1) } == 0)
    let both = apply {
      $0.flipX = true
      $0.flipY = true
    }
    #expect(difference(both) { (11 - $0, 9 - $1) } == 0)
  }

  private static func reflect(_ index: Int, _ count: Int) -> Int {
    var index = index
    while index < 0 || index >= count {
      index = index < 0 ? -index : 2 * count - 2 - index
    }
    return index
  }

  /// Shifts by whole pixels, right and down for positive draws; what comes in is the reflection.
  @Test(arguments: [(3, 0), (0, -2), (-4, 5), (9, 11), (25, -30)])
  func shiftsByWholePixels(right: Int, down: Int) {
    let result = apply {
      $0.shiftX = Double(right) * 8 / 10
      $0.shiftY = Double(down) * 8 / 12
    }
    let worst = difference(result) {
      (Self.reflect($0 - down, 12), Self.reflect($1 - right, 10))
    }
    #expect(worst < 4e-6)
  }

  /// [16, 16, 3] without fine detail, so that interpolation errors are small.
  private static let smooth = (0..<16 * 16 * 3).map { index -> Float in
    let (y, x, c) = (Float(index / 48), Float(index / 3 % 16), Float(index % 3))
    let (u, v) = ((x - 6 - c) / 8, (y - 9 + c) / 8)
    return 1 / (1 + u * u + 2 * v * v) - 0.5
  }

  /// A quarter turn takes the pixel at (x, y) from the centre from (-y, x).
  @Test func quarterAndHalfTurns() {
    let quarter = apply(to: Self.smooth, height: 16, width: 16) { $0.turn = 0.25 }
    let wanted = difference(quarter, Self.smooth, height: 16, width: 16) { (y: $1, x: 15 - $0) }
    #expect(wanted < 0.02)
    #expect(difference(quarter, Self.smooth, height: 16, width: 16) { (15 - $1, $0) } > 0.1)
    let half = apply(to: Self.smooth, height: 16, width: 16) { $0.turn = -0.5 }
    #expect(difference(half, Self.smooth, height: 16, width: 16) { (15 - $0, 15 - $1) } < 0.02)
  }

  /// 2^(0.2 * 5) = 2: the middle of the image fills the result.
  @Test func scaleTwoDoublesThings() {
    let result = apply(to: Self.smooth, height: 16, width: 16) { $0.scale = 5 }
    for (y, x) in [(3, 4), (8, 8), (12, 5)] {
      let (sy, sx) = ((Double(y) - 7.5) / 2 + 7.5, (Double(x) - 7.5) / 2 + 7.5)
      let (iy, ix) = (Int(sy), Int(sx))
      let (fy, fx) = (Float(sy - Double(iy)), Float(sx - Double(ix)))
      func pixel(_ y: Int, _ x: Int) -> Float { Self.at(Self.smooth, y, x, 1, width: 16) }
      let wanted =
        (pixel(iy, ix) * (1 - fx) + pixel(iy, ix + 1) * fx) * (1 - fy)
        + (pixel(iy + 1, ix) * (1 - fx) + pixel(iy + 1, ix + 1) * fx) * fy
      #expect(abs(Self.at(result, y, x, 1, width: 16) - wanted) < 0.02)
    }
  }

  /// Stretching along the x axis and along the y axis are each other's inverse.
  @Test func stretchFollowsItsAxis() {
    let along = apply(to: Self.smooth, height: 16, width: 16) { $0.stretch = 2 }
    let across = apply(to: Self.smooth, height: 16, width: 16) {
      $0.stretch = -2
      $0.axis = 0.25
    }
    #expect(difference(along, across, height: 16, width: 16) { ($0, $1) } < 1e-4)
    #expect(difference(along, Self.smooth, height: 16, width: 16) { ($0, $1) } > 0.05)
  }

  /// Values from a PyTorch transcription of the published pipe in f64 with its reflection margin at the
  /// maximum: five pixels, the sum and the sum of squares.
  @Test(arguments: Golden.all) func agreesWithThePublishedPipe(golden: Golden) {
    let result = apply { $0 = golden.augmentation }
    let places = [(0, 0, 0), (3, 7, 1), (6, 5, 2), (11, 9, 0), (8, 2, 1)]
    for (place, wanted) in zip(places, golden.pixels) {
      let got = Self.at(result, place.0, place.1, place.2, width: 10)
      #expect(abs(got - wanted) < 5e-6, "\(place)")
    }
    let sum = result.reduce(0.0) { $0 + Double($1) }
    let squares = result.reduce(0.0) { $0 + Double($1) * Double($1) }
    #expect(abs(sum - golden.sum) < 2e-4 && abs(squares - golden.squares) < 2e-4)
  }

  struct Golden: Sendable, CustomStringConvertible {
    let augmentation: Augmentation
    let pixels: [Float]
    let sum: Double
    let squares: Double
    var description: String { "\(augmentation)" }

    init(
      scale: Double = 0, turn: Double = 0, stretch: Double = 0, axis: Double = 0, tx: Double = 0,
      ty: Double = 0, _ pixels: [Float], _ sum: Double, _ squares: Double
    ) {
      var augmentation = Augmentation()
      augmentation.scale = scale
      augmentation.turn = turn
      augmentation.stretch = stretch
      augmentation.axis = axis
      augmentation.shiftX = tx
      augmentation.shiftY = ty
      (self.augmentation, self.pixels) = (augmentation, pixels)
      (self.sum, self.squares) = (sum, squares)
    }

    static let all = [
      Golden(scale: 1.3, [0.022591, 0.459932, 0.605954, 0.209872, 1.007350], 1.92152, 72.32264),
      Golden(
        scale: -0.8, [-0.479073, -0.181507, 0.531186, -0.203736, 0.131361], 1.42420, 45.06914),
      Golden(turn: 0.11, [0.144364, -0.433098, -0.027814, 0.324450, 0.461104], 8.61922, 59.36780),
      Golden(turn: -0.37, [0.109187, 0.421413, 0.176299, 0.073767, 0.047254], 8.09658, 58.68663),
      Golden(
        turn: 0.25, [0.347004, 1.001302, -0.642364, -0.296699, 0.440091], 0.73954, 112.68292),
      Golden(
        stretch: 1.1, axis: 0.21, [-0.032286, 0.349270, 0.635814, -0.343357, 0.860317], -0.58429,
        56.01069),
      Golden(
        stretch: -0.7, [-0.575234, -0.120754, 0.632138, -0.321764, 0.629195], 1.34674, 55.54541),
      Golden(
        tx: 0.9, ty: -1.4, [0.537521, 0.425522, 0.333391, -0.710139, 0.240811], 2.48793, 80.86840),
      Golden(
        scale: 0.4, turn: 0.2, stretch: -0.6, axis: -0.4, tx: -0.7, ty: 0.3,
        [-0.301053, 0.413350, -0.246418, -0.104146, -0.680926], 9.57524, 65.47607),
    ]
  }
}

/// `data.flip`.
@Suite struct FlipTests {
  private let images = ShapesDataset(resolution: 8, count: 4)

  /// An image of 8 x 8 pixels, mirrored left to right.
  private static func turned(_ values: [Float]) -> [Float] {
    var result: [Float] = []
    for y in 0..<8 {
      for x in 0..<8 {
        let start = (y * 8 + 7 - x) * 3
        result += values[start..<start + 3]
      }
    }
    return result
  }

  @Test func halfAreMirroredByAFunctionOfSeedAndPosition() throws {
    let (plain, flipped) = (ImageSamples(images), ImageSamples(images, flips: true))
    var mirrored = 0
    for position in 0..<2_000 as Range<UInt64> {
      let index = Int(position % 4)
      let (a, b) = (
        try plain.sample(index, seed: 3, position: position),
        try flipped.sample(index, seed: 3, position: position)
      )
      #expect(a.label == b.label && b.augmentLabels.isEmpty)
      let turned = Self.turned(a.values)
      let isMirrored = Augmentation.mirrors(seed: 3, position: position)
      #expect(b.values == (isMirrored ? turned : a.values), "position \(position)")
      if isMirrored { mirrored += 1 }
    }
    #expect(abs(mirrored - 1_000) < 100)
    let other = (0..<2_000).filter { Augmentation.mirrors(seed: 4, position: $0) }.count
    #expect(abs(other - 1_000) < 100 && other != mirrored)
  }

  /// The pipe draws what it draws without the coin.
  @Test func thePipeIsIndependentOfIt() throws {
    let pipe = AugmentationPipe(probability: 0.5)
    let both = ImageSamples(images, augmentation: pipe, flips: true)
    let only = ImageSamples(images, augmentation: pipe)
    let same = try (0..<64 as Range<UInt64>).filter { position in
      let (a, b) = (
        try both.sample(0, seed: 1, position: position),
        try only.sample(0, seed: 1, position: position)
      )
      #expect(a.augmentLabels == b.augmentLabels)
      return a.values == b.values
    }
    #expect(same.allSatisfy { !Augmentation.mirrors(seed: 1, position: $0) } && same.count > 16)
  }
}
