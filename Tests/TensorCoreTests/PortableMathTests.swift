import Foundation
import TensorCore
import Testing

/// PortableMath against the C library's functions, whose own errors are below one ulp.
@Suite struct PortableMathTests {
  let stream = RandomStream(seed: 7, .test, position: 0)
  let samples = 40_000

  /// Distance in units of the last place of `reference`.
  func ulps(_ value: Double, _ reference: Double) -> Double {
    abs(value - reference) / reference.ulp
  }

  @Test func logOfEveryMagnitude() {
    var worst = 0.0
    for draw in 0..<samples {
      let exponent = stream.index(below: 2046, 2 * draw) - 1022
      let x = Double(sign: .plus, exponent: exponent, significand: 1 + stream.uniform(2 * draw + 1))
      worst = max(worst, ulps(PortableMath.log(x), Foundation.log(x)))
    }
    #expect(worst < 4)
  }

  @Test func logAroundOneKeepsItsRelativePrecision() {
    var worst = 0.0
    for draw in 0..<samples {
      let x =
        1 + (stream.uniform(2 * draw) - 0.5) * PortableMath.exp(-30 * stream.uniform(2 * draw + 1))
      if x != 1 { worst = max(worst, ulps(PortableMath.log(x), Foundation.log(x))) }
    }
    #expect(worst < 4)
    #expect(PortableMath.log(1) == 0)
    for x in [1 + 0x1p-52, 1 - 0x1p-53, 1.4142135623730951, 0.7071067811865476] {
      #expect(ulps(PortableMath.log(x), Foundation.log(x)) < 4)
    }
  }

  @Test func expOverItsWholeRange() {
    var worst = 0.0
    for draw in 0..<samples {
      let x = -708 + 1416.9 * stream.uniform(draw)
      worst = max(worst, ulps(PortableMath.exp(x), Foundation.exp(x)))
      let small = x / 1e6
      worst = max(worst, ulps(PortableMath.exp(small), Foundation.exp(small)))
    }
    #expect(worst < 4)
    #expect(PortableMath.exp(0) == 1)
    #expect(PortableMath.exp(-708.5) == 0)
    #expect(PortableMath.exp(-.infinity) == 0)
  }

  @Test func saturatingExpIsExpWhereThatHasOne() {
    for x in [-800.0, -708, -1, 0, 1, 700, 708.9] {
      #expect(PortableMath.saturatingExp(x) == PortableMath.exp(x))
    }
    #expect(PortableMath.saturatingExp(709) == .infinity)
    #expect(PortableMath.saturatingExp(.infinity) == .infinity)
    #expect(PortableMath.saturatingExp(-.infinity) == 0)
    #expect(PortableMath.saturatingExp(.nan).isNaN)
  }

  /// Both tails relative to themselves: logistic(x) + logistic(-x) = 1, and the smaller is e^-|x| / (1 +
  /// e^-|x|).
  @Test func logisticInBothTails() {
    var worst = 0.0
    for draw in 0..<samples {
      let x = -700 + 1400 * stream.uniform(draw)
      for x in [x, x / 100, x / 1e6] {
        let grown = Foundation.exp(-abs(x))
        let (small, large) = (grown / (1 + grown), 1 / (1 + grown))
        worst = max(worst, ulps(PortableMath.logistic(-abs(x)), small))
        worst = max(worst, ulps(PortableMath.logistic(abs(x)), large))
      }
    }
    #expect(worst < 8)
    #expect(PortableMath.logistic(0) == 0.5)
    #expect(PortableMath.logistic(.infinity) == 1 && PortableMath.logistic(-.infinity) == 0)
    #expect(PortableMath.logistic(1e9) == 1 && PortableMath.logistic(-1e9) == 0)
    #expect(PortableMath.logistic(.nan).isNaN)
  }

  /// An error of half an ulp in the logarithm grows with the exponent, hence the bound.
  @Test func powWithinTheBoundOfItsLogarithm() {
    for draw in 0..<samples {
      let base = PortableMath.exp(40 * stream.uniform(2 * draw) - 20)
      let exponent = 60 * stream.uniform(2 * draw + 1) - 30
      let power = exponent * Foundation.log(base)
      guard abs(power) < 700 else { continue }
      let found = PortableMath.pow(base, exponent)
      #expect(ulps(found, Foundation.pow(base, exponent)) < 4 + 4 * abs(power))
    }
    #expect(PortableMath.pow(123.4, 0) == 1)
    #expect(PortableMath.pow(1, 1e9) == 1)
  }

  @Test func sineAndCosineOfTurns() {
    var worst = 0.0
    for draw in 0..<samples {
      let turns =
        (stream.uniform(2 * draw) - 0.5) * PortableMath.exp(20 * stream.uniform(2 * draw + 1) - 10)
      let (sine, cosine) = PortableMath.sinCosOfTurns(turns)
      // Every step of this reduction is exact, so that the reference keeps its precision near zeros.
      let part = turns - turns.rounded()
      let folded = abs(part) > 0.25 ? (part < 0 ? -0.5 : 0.5) - part : part
      worst = max(worst, ulps(sine, Foundation.sin(2 * .pi * folded)))
      worst = max(worst, ulps(cosine, Foundation.sin(2 * .pi * (0.25 - abs(part)))))
    }
    #expect(worst < 4)
  }

  @Test func quarterTurnsAreExact() {
    for turns in [-1e6, -3, 0, 1, 41, 1e9] {
      for (quarter, exact) in [(0.0, 1.0), (1, 0), (0, -1), (-1, 0)].enumerated() {
        let (sine, cosine) = PortableMath.sinCosOfTurns(turns + Double(quarter) / 4)
        #expect(sine == exact.0 && cosine == exact.1, "\(turns) and \(quarter) quarters")
      }
    }
  }

  @Test func sineAndCosineOfRadians() {
    for draw in 0..<samples {
      let radians = 200 * (stream.uniform(draw) - 0.5)
      let (sine, cosine) = PortableMath.sinCos(radians)
      // The division by 2 pi costs an error in proportion to the angle.
      let bound = 0x1p-52 * (2 + abs(radians))
      #expect(abs(sine - Foundation.sin(radians)) < bound)
      #expect(abs(cosine - Foundation.cos(radians)) < bound)
    }
  }

  @Test func argumentsWithoutAResultTrap() async {
    await #expect(processExitsWith: .failure) { _ = PortableMath.log(0) }
    await #expect(processExitsWith: .failure) { _ = PortableMath.log(-1) }
    await #expect(processExitsWith: .failure) { _ = PortableMath.log(.nan) }
    await #expect(processExitsWith: .failure) { _ = PortableMath.exp(709) }
    await #expect(processExitsWith: .failure) { _ = PortableMath.exp(.nan) }
  }
}
