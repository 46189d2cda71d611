import Autodiff
import Checkpoints
import DiffiTModels
import FixtureSupport
import Foundation
import NumericsSupport
import RunData
import SystemSupport
import TensorCore
import Testing

@Suite struct PerceptualDistanceTests {
  private static var settings: PerceptualDistance.Settings {
    var settings = PerceptualDistance.Settings()
    settings.channels = [4, 6, 8, 8, 9]
    return settings
  }
  private static let weights = GoldenFile.folder.appendingPathComponent("lpips.safetensors")

  @Test(arguments: KernelTable.Level.allCases.filter { KernelTable($0) != nil })
  func matchesPyTorch(_ level: KernelTable.Level) throws {
    let context = try! ComputeContext(threadCount: 2, kernels: try #require(KernelTable(level)))
    let golden = try GoldenFile("lpips-golden.safetensors", on: context)
    let distance = try PerceptualDistance(
      weights: Self.weights, settings: Self.settings, on: context)
    let (x, y) = (try golden.images("x"), try golden.images("y"))
    let weights = [0.5, 2.0]
    for _ in 0..<2 {  // panels are made by the first
      let tape = Tape()
      let variable = tape.variable(x)
      let loss = distance(variable, y, weights: weights)
      let terms = zip(loss.terms, weights).map { Float($0 / $1) }
      #expect(relativeError(terms, try golden.floats("distances").wide) < 1e-5)
      #expect(abs(Double(loss.total.value.floats[0]) - loss.terms.reduce(0, +)) < 1e-5)
      let dx = tape.gradients(of: loss.total, at: [variable])[0]
      #expect(worst(try #require(dx), try golden.images("grad_x")) < 1e-4)
    }
    let same = distance(Variable(x), x, weights: weights)
    #expect(same.terms == [0, 0] && same.total.tape == nil)
  }

  @Test func bitsDependOnNothingElse() throws {
    func gradient(_ threads: Int, _ images: Range<Int>) throws -> (terms: [Double], dx: [UInt32]) {
      let context = try! ComputeContext(threadCount: threads)
      let golden = try GoldenFile("lpips-golden.safetensors", on: context)
      let distance = try PerceptualDistance(
        weights: Self.weights, settings: Self.settings, on: context)
      let tape = Tape()
      let x = tape.variable(try golden.images("x")[images])
      let loss = distance(x, try golden.images("y")[images], weights: images.map { _ in 1 })
      return (loss.terms, tape.gradients(of: loss.total, at: [x])[0]?.bits ?? [])
    }
    let both = try gradient(1, 0..<2)
    let three = try gradient(3, 0..<2)
    #expect(three.dx == both.dx && three.terms == both.terms)
    let second = try gradient(2, 1..<2)
    #expect(second.terms == [both.terms[1]] && second.dx == Array(both.dx.suffix(second.dx.count)))
  }

  @Test func filesOfOtherNetworks() throws {
    do {
      _ = try PerceptualDistance(weights: Self.weights, on: ComputeContext())
      Issue.record("read without complaint")
    } catch {
      guard
        case CheckpointError.modelMismatch(_, let missing, let unexpected, let misshaped) = error
      else {
        Issue.record("\(error)")
        return
      }
      #expect(missing.isEmpty && unexpected.isEmpty)
      #expect(misshaped.contains("lin0.weight [4] where [64] is expected"))
    }
    #expect(throws: FileError.self) {
      _ = try PerceptualDistance(
        weights: Self.weights.appendingPathExtension("none"), on: ComputeContext())
    }
  }

  @Test func layersAreVGGs() {
    let names = PerceptualDistance().parameters.parameters.map(\.name)
    #expect(
      names.filter { $0.hasSuffix(".bias") }.map { $0.dropFirst(9).dropLast(5) }
        == ["0", "2", "5", "7", "10", "12", "14", "17", "19", "21", "24", "26", "28"])
    #expect(PerceptualDistance.Settings().forwardFlops(resolution: 224) == 30_693_261_312)
  }
}
