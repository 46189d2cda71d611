import Foundation
import NumericsSupport
import Optimization
import TensorCore
import Testing

private func sumOfSquares(_ x: Tensor) -> Double {
  treeSum(blockSquares(x, in: [0..<x.count]))
}

@Suite struct GradientNormTests {
  /// Blocks of 4,096, the last one ragged, against one plain f64 sum.
  @Test(arguments: Setup.all)
  func sumOfSquaresIsExactEnough(_ setup: Setup) {
    let context = setup.context
    for count in [0, 1, 15, 4096, 4097, 5 * 4096 + 100] {
      let x = values(count, 1, scale: 100)
      let expected = x.wide.reduce(0) { $0 + $1 * $1 }
      let found = sumOfSquares(Tensor(x, [count], on: context))
      #expect(abs(found - expected) <= 1e-13 * expected, "\(count)")
    }
  }

  /// The same bits for any threads and instruction set, and from blocks summed by several ranks.
  @Test func sumOfSquaresIsReproducible() {
    let count = 8 * 4096
    let x = values(count, 1)
    let expected = sumOfSquares(Tensor(x, [count], on: ComputeContext()))
    for level in Setup.levels {
      for threads in 1...4 {
        let tensor = Tensor(x, [count], on: Setup(level, threads: threads).context)
        #expect(sumOfSquares(tensor) == expected)
        let parts = (0..<4).map { sumOfSquares(tensor[2 * $0 * 4096..<2 * ($0 + 1) * 4096]) }
        #expect(treeSum(parts) == expected)
      }
    }
  }

  @Test(arguments: Setup.levels, [0, 17, 4999])
  func nonFiniteShows(_ level: KernelTable.Level, _ at: Int) {
    let context = Setup(level, threads: 2).context
    for poison in [Float.nan, Float(bitPattern: 0xffff_ffff), .infinity, -.infinity] {
      var x = values(5000, 1)
      x[at] = poison
      #expect(!sumOfSquares(Tensor(x, [5000], on: context)).isFinite)
    }
    // The largest f32 is finite, and so is its square in f64.
    var x = values(5000, 1)
    x[at] = .greatestFiniteMagnitude
    #expect(sumOfSquares(Tensor(x, [5000], on: context)).isFinite)
  }

  @Test func treeSumAddsNeighbours() {
    #expect(treeSum([]) == 0)
    #expect(treeSum([3]) == 3)
    #expect(treeSum([1, 2, 3, 4, 5]) == 15)
    // ((1 + e) + (e + e)) rounds once, where a running sum loses every e.
    let e = Double.ulpOfOne / 2
    #expect(treeSum([1, e, e, e]) == (1 + e) + (e + e))
    #expect(treeSum([1, e, e, e]) != ((1 + e) + e) + e)
  }

  @Test func clipping() {
    #expect(clippingFactor(norm: 4, limit: 1) == 0.25)
    #expect(clippingFactor(norm: 0.5, limit: 1) == 1)
    #expect(clippingFactor(norm: 1, limit: 1) == 1)
    #expect(clippingFactor(norm: 1e9, limit: 0) == 1, "0 switches clipping off")
    let g = values(100, 1)
    let norm = sumOfSquares(Tensor(g, [100], on: ComputeContext())).squareRoot()
    let factor = clippingFactor(norm: norm, limit: 2)
    let clipped = Tensor(g.map { $0 * factor }, [100], on: ComputeContext())
    #expect(abs(sumOfSquares(clipped).squareRoot() - 2) < 1e-6)
  }
}

@Suite struct LearningRateTests {
  @Test func ramp() {
    let rate = LearningRate(peak: 0.002, warmup: 1000)
    #expect(rate(imagesSeen: 0) == 0, "the first step's rate is 0")
    #expect(rate(imagesSeen: 250) == 0.0005)
    #expect(rate(imagesSeen: 1000) == 0.002)
    #expect(rate(imagesSeen: 1_000_000) == 0.002)
  }

  @Test func noWarmup() {
    let rate = LearningRate(peak: 0.002, warmup: 0)
    #expect(rate(imagesSeen: 0) == 0.002 && rate(imagesSeen: 7) == 0.002)
  }
}

@Suite struct LearningRateScheduleTests {
  /// Each schedule against its formula, with the C library's functions.
  @Test func formulas() {
    let (peak, warmup, total) = (0.002, 1_000, 21_000)
    let cosine = LearningRate(peak: peak, warmup: warmup, schedule: .cosine, images: total)
    let linear = LearningRate(peak: peak, warmup: warmup, schedule: .linear, images: total)
    let root = LearningRate(
      peak: peak, warmup: warmup, schedule: .inverseSquareRoot(start: 4_000), images: total)
    for seen in stride(from: 0, through: total, by: 70) {
      let rise = min(Double(seen) / 1_000, 1)
      let way = max(Double(seen - warmup) / 20_000, 0)
      let expected = [
        peak * rise * 0.5 * (1 + cos(.pi * way)), peak * rise * (1 - way),
        peak * rise / max(Double(seen) / 4_000, 1).squareRoot(),
      ]
      for (rate, expected) in zip([cosine, linear, root], expected) {
        #expect(abs(rate(imagesSeen: seen) - expected) < 1e-15, "\(rate.schedule) at \(seen)")
      }
    }
    #expect(cosine(imagesSeen: total) < 1e-18 && linear(imagesSeen: total) == 0)
    #expect(root(imagesSeen: 16_000) == peak / 2)
  }

  @Test func cooldown() {
    let rate = LearningRate(peak: 1, warmup: 100, cooldown: 400, images: 1_000)
    #expect(rate(imagesSeen: 50) == 0.5 && rate(imagesSeen: 600) == 1)
    #expect(rate(imagesSeen: 700) == 0.75 && rate(imagesSeen: 1_000) == 0)
    #expect(rate(imagesSeen: 1_200) == 0, "past the end")
  }

  /// A run that is all warm-up does not divide by zero.
  @Test func warmupOfTheWholeRun() {
    let rate = LearningRate(peak: 1, warmup: 100, schedule: .linear, images: 100)
    #expect(rate(imagesSeen: 50) == 0.5 && rate(imagesSeen: 100) == 0)
  }
}

@Suite struct ExponentialAverageTests {
  private func average(halfLife: Double = 500_000, rampup: Double = 0.05) -> ExponentialAverage {
    ExponentialAverage(
      name: "ema", halfLife: halfLife, rampup: rampup, of: Tensor(zeros: [1], on: ComputeContext()),
      owned: OptimizerPartition(all: 1))
  }

  /// beta = 0.5^(batch / min(half-life, images * rampup)), images counted before the step.
  @Test func beta() {
    let ema = average()
    #expect(ema.beta(batch: 512, imagesSeen: 0) == 0)
    for seen in [512, 100_000, 9_999_999] {
      let expected = pow(0.5, 512 / (Double(seen) * 0.05))
      #expect(abs(ema.beta(batch: 512, imagesSeen: seen) - expected) < 1e-14)
    }
    for seen in [10_000_000, 200_000_000] {
      #expect(abs(ema.beta(batch: 512, imagesSeen: seen) - pow(0.5, 512 / 500_000)) < 1e-14)
    }
    #expect(average(halfLife: 0).beta(batch: 512, imagesSeen: 99) == 0)
  }

  @Test func noRampup() {
    let ema = average(rampup: 0)
    let expected = pow(0.5, 512 / 500_000.0)
    for seen in [0, 512, 1_000_000_000] {
      #expect(abs(ema.beta(batch: 512, imagesSeen: seen) - expected) < 1e-14)
    }
  }

  @Test(arguments: Setup.all)
  func update(_ setup: Setup) {
    let context = setup.context
    let count = 2 * 4096 + 21
    let first = Tensor(values(count, 1), [count], on: context)
    let ema = ExponentialAverage(
      name: "fast", halfLife: 1000, rampup: 0.05, of: first,
      owned: OptimizerPartition(all: first.count))
    #expect(ema.values.bits == first.bits, "it starts as a copy")
    let second = Tensor(values(count, 2), [count], on: context)
    var adam = Adam(
      owned: OptimizerPartition(all: count), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0,
      on: context
    )
    // Without a gradient and a rate, Adam leaves the weights as they are.
    func move(_ weights: Tensor, imagesSeen: Int) {
      let before = weights.bits
      adam.update(
        weights, gradients: Tensor(zeros: [count], on: context), learningRate: 0, factor: 1,
        averages: [
          (other, beta: 0.5), (ema, beta: ema.beta(batch: 64, imagesSeen: imagesSeen)),
        ])
      #expect(weights.bits == before)
    }
    let other = ExponentialAverage(
      name: "other", halfLife: 1, rampup: 0, of: first, owned: OptimizerPartition(all: first.count))
    move(second, imagesSeen: 0)
    #expect(ema.values.bits == second.bits, "the first beta is 0")
    let third = Tensor(values(count, 3), [count], on: context)
    move(third, imagesSeen: 6400)
    let beta = pow(0.5, 64 / 320.0)
    let expected = zip(second.floats.wide, third.floats.wide).map { beta * $0 + (1 - beta) * $1 }
    #expect(relativeError(ema.values, expected) < 2e-7)
    #expect(first.bits != ema.values.bits, "the first weights were copied, not shared")
    let half = zip(zip(first.floats.wide, second.floats.wide), third.floats.wide).map {
      0.25 * $0.0 + 0.25 * $0.1 + 0.5 * $1
    }
    #expect(relativeError(other.values, half) < 2e-7, "each average has its own beta")
  }

  /// After a half-life of images an old weight counts half.
  @Test func halfLife() {
    let context = ComputeContext()
    let ema = ExponentialAverage(
      name: "ema", halfLife: 640, rampup: 0, of: Tensor([1], [1], on: context),
      owned: OptimizerPartition(all: 1))
    let zero = Tensor(zeros: [1], on: context)
    var adam = Adam(
      owned: OptimizerPartition(all: 1), betas: (0.9, 0.999), epsilon: 1e-8, weightDecay: 0,
      on: context)
    for step in 0..<10 {
      adam.update(
        zero, gradients: zero, learningRate: 0, factor: 1,
        averages: [(ema, beta: ema.beta(batch: 64, imagesSeen: 64 * step))])
    }
    #expect(abs(ema.values.floats[0] - 0.5) < 1e-6)
  }
}
