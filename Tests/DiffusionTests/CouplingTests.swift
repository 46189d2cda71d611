import Diffusion
import NumericsSupport
import TensorCore
import Testing

@Suite struct CouplingTests {
  private let images = Tensor(values(5 * 48, 1), [5, 4, 4, 3], on: ComputeContext())
  private let positions: [UInt64] = [0, 7, 1 << 40, 3, 2]

  private func noise(_ candidates: Int, images: Tensor? = nil, _ rows: Range<Int>? = nil) -> [Float]
  {
    let rows = rows ?? 0..<5
    let all = images ?? self.images
    let part = all.view(at: rows.lowerBound * 48, [rows.count, 4, 4, 3])
    return coupledNoise(
      seed: 9, positions: Array(positions[rows]), to: part, candidates: candidates
    ).floats
  }

  /// By its definition, in plain loops.
  @Test func theLargestInnerProduct() {
    for candidates in [1, 2, 4, 9] {
      let found = noise(candidates)
      for image in 0..<5 {
        let draws = (0..<candidates).map { candidate in
          let stream = RandomStream(
            seed: 9, .noise, substream: candidate, position: positions[image])
          return (0..<48).map { Float(stream.normal($0)) }
        }
        let products = draws.map { draw in
          zip(draw, images.floats[image * 48..<image * 48 + 48]).reduce(0.0) {
            $0 + Double($1.0) * Double($1.1)
          }
        }
        let best = products.indices.max { products[$0] < products[$1] } ?? 0
        #expect(Array(found[image * 48..<image * 48 + 48]) == draws[best], "\(candidates)")
      }
    }
  }

  @Test func oneCandidateIsTheNoiseOfTraining() {
    #expect(noise(1) == trainingNoise(seed: 9, positions: positions, like: images).floats)
  }

  /// Nothing depends on which images are beside an image, or on threads.
  @Test func aFunctionOfThePositionAndTheImage() throws {
    let whole = noise(4)
    #expect(noise(4, 0..<2) + noise(4, 2..<5) == whole)
    let context = try ComputeContext(threadCount: 3)
    #expect(noise(4, images: Tensor(images.floats, images.shape, on: context)) == whole)
  }

  /// Aligned with the image, and as long as noise is.
  @Test func lengthAndAlignment() {
    let count = 400
    let context = ComputeContext()
    let images = Tensor(values(count * 48, 2), [count, 4, 4, 3], on: context)
    let noise = coupledNoise(
      seed: 1, positions: (0..<UInt64(count)).map { $0 }, to: images, candidates: 4
    ).floats
    let squares = noise.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(noise.count)
    #expect(abs(squares - 1) < 0.03)
    let products = zip(noise, images.floats).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    let lengths = images.floats.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(count)
    // The mean of the largest of four standard normal numbers is 1.029.
    #expect(abs(products / Double(count) / lengths.squareRoot() - 1.029) < 0.15)
  }
}
