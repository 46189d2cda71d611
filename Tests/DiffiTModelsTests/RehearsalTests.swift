import Autodiff
import DiffiTModels
import TensorCore
import Testing

/// A step that is rehearsed makes the tensors of one that is computed.
@Suite struct RehearsalTests {
  private static let latent = {
    var s = LatentDiffiT.Settings()
    (s.resolution, s.width, s.depth, s.heads, s.classes, s.dropout) = (8, 64, 2, 2, 5, 0.1)
    return s
  }()
  static let settings: [any NetworkSettings] =
    SmallNetworks.all.indices.map { SmallNetworks.settings($0, for: .bfloat16) } + [latent]

  /// Most memory of two micro-batches, the second smaller.
  private func peak(
    _ settings: any NetworkSettings, _ precision: DType, recomputes: Bool,
    on context: ComputeContext
  ) -> (written: Int, held: Int, panels: Int) {
    let network = settings.network(precision: precision, recomputes: recomputes)
    network.parameters.allocate(on: context, gradients: true)
    network.parameters.initialize(seed: 1)
    let state = context.memory.requestedBytes
    var panels = 0
    network.parameters.beginStep()
    network.parameters.withPackedWeights {
      for images in [3, 2] {
        let tape = Tape(dropout: DropoutSource(seed: 2, positions: (0..<images).map(UInt64.init)))
        let x = tape.constant(Tensor(zeros: settings.imageShape(batch: images), on: context))
        let y = network(
          x, time: (0..<images).map(Double.init),
          labels: settings.classes > 0 ? (0..<images).map { $0 } : nil,
          augment: settings.augmentLabels > 0
            ? Tensor(zeros: [images, settings.augmentLabels], on: context) : nil)
        tape.backward(from: y, seed: Tensor(zeros: y.shape, on: context))
      }
      panels = context.memory.requestedBytes - state
    }
    return (context.memory.peakWrittenBytes, context.memory.peakBytes, panels)
  }

  @Test(arguments: settings.indices, [DType.float32, .bfloat16])
  func takesWhatAComputedStepTakes(_ index: Int, _ precision: DType) {
    for (threads, recomputes) in [(1, false), (2, true)] {
      let settings = Self.settings[index]
      let real = peak(
        settings, precision, recomputes: recomputes, on: try! ComputeContext(threadCount: threads))
      let rehearsed = peak(
        settings, precision, recomputes: recomputes, on: ComputeContext(meta: threads))
      #expect(rehearsed == real)
      #expect(real.panels > 0 && real.written <= real.held)
    }
  }
}
