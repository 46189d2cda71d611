import TensorCore

extension ImageDiffiT.Settings {
  /// What one image costs: arithmetic and memory.
  ///
  /// - Parameters:
  ///   - precision: the type of the activations inside blocks.
  ///   - recomputes: whether a block saves only its input.
  public func cost(precision: DType = .float32, recomputes: Bool = false) -> NetworkCost {
    var cost = NetworkCost()
    let last = channels.count - 1
    let stream = DType.float32.size
    func size(_ stage: Int) -> Int { self.precision(precision, width: channels[stage]).size }
    func pixels(_ stage: Int) -> Int { (resolution >> stage) * (resolution >> stage) }
    func cells(_ first: Int, _ stage: Int) {
      let (p, width, size) = (pixels(stage), channels[stage], size(stage))
      for index in 0..<blocks[stage] {
        let inputs = index == 0 ? first : width
        let before = cost.forwardFlops
        cost.product(p, inputs, width, taps: 9)
        // The convolution's input beside what the transformer block saves.
        var saved =
          p * size * inputs
          + cost.diffiTBlock(
            tokens: p, width: width, timeDim: timeDim, window: window(stage: stage), size: size)
        if inputs != width { cost.product(p, inputs, width) }
        cost.blockFlops += cost.forwardFlops - before
        if inputs != width && size != stream { saved += p * size * inputs }
        cost.largestBlockBytes = max(cost.largestBlockBytes, saved)
        cost.savedBytes += p * stream * inputs + (recomputes ? 0 : saved)
      }
    }
    cost.product(1, embedDim + timeDim, timeDim)
    cost.product(pixels(0), imageChannels, channels[0], taps: 9)
    cost.savedBytes += pixels(0) * stream * imageChannels
    for stage in 0...last {
      cells(channels[max(stage - 1, 0)], stage)
      if stage < last {
        let width = channels[stage]
        cost.product(pixels(stage + 1), width, width, taps: 9)
        cost.savedBytes += pixels(stage) * size(stage) * width
      }
    }
    for stage in (0..<last).reversed() {
      let below = channels[stage + 1]
      cost.product(pixels(stage + 1), below, below, taps: 9)
      cost.savedBytes += pixels(stage + 1) * size(stage + 1) * below
      cells(below + channels[stage], stage)
    }
    cost.product(pixels(0), channels[0], outputChannels, taps: 9)
    cost.savedBytes += pixels(0) * 2 * stream * channels[0]
    return cost
  }
}
