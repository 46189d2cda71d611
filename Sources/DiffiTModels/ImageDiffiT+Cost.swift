import TensorCore

extension ImageDiffiT.Settings {
  /// What one image costs, counted from the settings.
  public struct Cost: Sendable, Equatable {
    /// Floating-point operations of a forward pass (a multiplication and an addition are two), of the
    /// matrix products and the attention. A training step costs three times that.
    public var forwardFlops = 0
    /// Bytes that a forward pass saves for backward.
    public var savedBytes = 0
    /// Bytes of the ResBlock that saves most.
    public var largestBlockBytes = 0
    /// Forward operations of the ResBlocks alone, which recomputation does twice.
    public var blockFlops = 0

    fileprivate mutating func product(_ pixels: Int, _ inputs: Int, _ outputs: Int, taps: Int = 1) {
      forwardFlops += 2 * pixels * inputs * outputs * taps
    }
  }

  /// - Parameters:
  ///   - precision: of the activations inside ResBlocks.
  ///   - recomputes: whether a ResBlock keeps its input alone.
  public func cost(precision: DType = .float32, recomputes: Bool = false) -> Cost {
    var cost = Cost()
    let last = channels.count - 1
    let stream = DType.float32.size
    func size(_ stage: Int) -> Int { self.precision(precision, stage: stage).size }
    func pixels(_ stage: Int) -> Int { (resolution >> stage) * (resolution >> stage) }
    func cells(_ first: Int, _ stage: Int) {
      let (p, width, size) = (pixels(stage), channels[stage], size(stage))
      for index in 0..<blocks[stage] {
        let inputs = index == 0 ? first : width
        let window = window(stage: stage)
        let before = cost.forwardFlops
        cost.product(p, inputs, width, taps: 9)
        cost.product(p, width, 3 * width)
        cost.forwardFlops += 4 * p * window * window * width
        cost.product(p, width, width)
        cost.product(p, width, 4 * width)
        cost.product(p, 4 * width, width)
        cost.forwardFlops += 2 * timeWidth * 3 * width
        if inputs != width { cost.product(p, inputs, width) }
        cost.blockFlops += cost.forwardFlops - before
        // The convolution's input; both layer norms, qkv, the attention's result, the input of GELU.
        var saved = p * size * (inputs + 10 * width)
        if inputs != width && size != stream { saved += p * size * inputs }
        cost.largestBlockBytes = max(cost.largestBlockBytes, saved)
        cost.savedBytes += p * stream * inputs + (recomputes ? 0 : saved)
      }
    }
    cost.forwardFlops += 2 * (embeddingWidth + timeWidth) * timeWidth
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
    cost.product(pixels(0), channels[0], imageChannels, taps: 9)
    cost.savedBytes += pixels(0) * 2 * stream * channels[0]
    return cost
  }
}
