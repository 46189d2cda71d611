import TensorCore

/// The classes of `ShapesDataset`; a raw value is a label.
package enum ShapeClass: Int, CaseIterable {
  case circle, square, triangle, ring, cross, star, stripes, checkerboard, dots, waves
}

/// One image of `ShapesDataset`: a region of the plane [-1, 1] x [-1, 1], y downwards, in one
/// colour on a backdrop of another.
package struct ShapeDrawing {
  let palette: Palette
  private let kind: ShapeClass
  private let center: (x: Double, y: Double)
  private let size: Double
  private let turn: (sin: Double, cos: Double)
  /// One more property of some classes: the size of a ring's hole, the length of a wave.
  private let extra: Double

  /// Uses uniform draws 0 to 9 of the stream.
  init(_ kind: ShapeClass, _ stream: RandomStream) {
    func draw(_ index: Int, _ low: Double, _ high: Double) -> Double {
      low + (high - low) * stream.uniform(index)
    }
    self.kind = kind
    palette = Palette(stream, firstDraw: 5)
    extra = stream.uniform(4)
    let turns: Double
    switch kind {
    case .circle, .square, .triangle, .ring, .cross, .star:
      size = draw(0, 0.62, 0.86)
      let room = 0.95 - size
      center = (draw(1, -room, room), draw(2, -room, room))
      turns = draw(3, -0.03, 0.03)
    case .stripes, .checkerboard, .dots, .waves:
      size = draw(0, 0.55, 0.85)  // a period; at 16 pixels more than 4 pixels
      center = (draw(1, -1, 1), draw(2, -1, 1))
      turns = kind == .stripes ? draw(3, -0.5, 0.5) : draw(3, -0.06, 0.06)
    }
    turn = PortableMath.sinCosOfTurns(turns)
  }

  /// Draws image `index` of the set.
  ///
  /// - Parameters:
  ///   - side: in pixels.
  ///   - pixels: receives [side, side, 3]; each edge is antialiased by 4 x 4 samples per pixel.
  /// - Returns: its label.
  package static func draw(
    _ index: Int, side: Int, into pixels: UnsafeMutableBufferPointer<UInt8>
  ) -> Int {
    let kind = ShapeClass.allCases[index % ShapeClass.allCases.count]
    let drawing = ShapeDrawing(kind, RandomStream(seed: 0, .shapes, position: UInt64(index)))
    let step = 2 / Double(side * samples)
    for y in 0..<side {
      let backdrop = drawing.palette.backdrop(at: (Double(y) + 0.5) / Double(side))
      for x in 0..<side {
        var inside = 0
        for sample in 0..<samples * samples {
          let sx = (Double(x * samples + sample % samples) + 0.5) * step - 1
          let sy = (Double(y * samples + sample / samples) + 0.5) * step - 1
          if drawing.contains(sx, sy) { inside += 1 }
        }
        let coverage = Double(inside) / Double(samples * samples)
        let color = backdrop + (drawing.palette.ink - backdrop) * coverage
        for channel in 0..<3 {
          pixels[(y * side + x) * 3 + channel] = UInt8(color[channel] * 255 + 0.5)
        }
      }
    }
    return kind.rawValue
  }

  private static let samples = 4

  func contains(_ px: Double, _ py: Double) -> Bool {
    let (dx, dy) = (px - center.x, py - center.y)
    let x = (turn.cos * dx + turn.sin * dy) / size
    let y = (turn.cos * dy - turn.sin * dx) / size
    switch kind {
    case .circle:
      return x * x + y * y <= 0.9
    case .square:
      return max(abs(x), abs(y)) <= 0.82
    case .triangle:
      // Below the two slanted sides, above the base; corners at distance 1 and a little more.
      return y <= 0.62 && 1.7320508 * abs(x) - y <= 1.05
    case .ring:
      let hole = 0.45 + 0.15 * extra
      let squared = x * x + y * y
      return squared <= 1 && squared >= hole * hole
    case .cross:
      return min(abs(x), abs(y)) <= 0.27 && max(abs(x), abs(y)) <= 0.95
    case .star:
      // Five lines bound a pentagram; a point in it is on the inner side of at least four.
      let inner = ShapeDrawing.starNormals.count { $0.x * x + $0.y * y <= 0.36 }
      return inner >= 4
    case .stripes:
      return fraction(x) < 0.5
    case .checkerboard:
      return (fraction(x / 1.6) < 0.5) != (fraction(y / 1.6) < 0.5)
    case .dots:
      let (u, v) = (fraction(x) - 0.5, fraction(y) - 0.5)
      return u * u + v * v <= 0.1
    case .waves:
      let length = 1.7 + 0.5 * extra
      return fraction(y + 0.28 * PortableMath.sinCosOfTurns(x / length).sin) < 0.5
    }
  }

  /// Directions from the centre to the middles of a pentagram's lines; one tip points up.
  private static let starNormals = (0..<5).map { index in
    let direction = PortableMath.sinCosOfTurns(Double(index) / 5)
    return (x: direction.sin, y: direction.cos)
  }

  private func fraction(_ x: Double) -> Double { x - x.rounded(.down) }
}

/// An ink and a backdrop that shades from top to bottom, as RGB in [0, 1].
struct Palette {
  let ink: SIMD3<Double>
  private let top: SIMD3<Double>
  private let bottom: SIMD3<Double>

  /// Uses five uniform draws. Hues lie at least a quarter of the circle apart, and one of the two
  /// is dark where the other is light, so that no shape drowns in its backdrop.
  init(_ stream: RandomStream, firstDraw: Int) {
    func draw(_ index: Int) -> Double { stream.uniform(firstDraw + index) }
    let hue = draw(0)
    let other = hue + 0.25 + 0.5 * draw(1)
    let darkBackdrop = draw(2) < 0.5
    let (saturation, value) = (draw(3), draw(4))
    if darkBackdrop {
      ink = Palette.rgb(hue, 0.45 + 0.5 * saturation, 0.9 + 0.1 * value)
      top = Palette.rgb(other, 0.65, 0.16 + 0.12 * value)
      bottom = Palette.rgb(other + 0.06, 0.6, 0.3 + 0.12 * value)
    } else {
      ink = Palette.rgb(hue, 0.7 + 0.3 * saturation, 0.45 + 0.3 * value)
      top = Palette.rgb(other, 0.12 + 0.1 * saturation, 1)
      bottom = Palette.rgb(other + 0.06, 0.28 + 0.12 * saturation, 0.92)
    }
  }

  /// - Parameter depth: 0 at the top edge, 1 at the bottom.
  func backdrop(at depth: Double) -> SIMD3<Double> { top + (bottom - top) * depth }

  /// Hue in turns, saturation and value in [0, 1] (the HSV hexcone).
  private static func rgb(_ hue: Double, _ saturation: Double, _ value: Double) -> SIMD3<Double> {
    let shares = SIMD3(0, 2.0 / 3, 1.0 / 3).map { offset -> Double in
      let place = hue + offset
      let sixth = (place - place.rounded(.down)) * 6
      return min(max(abs(sixth - 3) - 1, 0), 1)
    }
    return (SIMD3(repeating: 1 - saturation) + shares * saturation) * value
  }
}

extension SIMD3<Double> {
  fileprivate func map(_ transform: (Double) -> Double) -> Self {
    Self(transform(x), transform(y), transform(z))
  }
}
