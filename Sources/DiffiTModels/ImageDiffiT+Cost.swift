extension ImageDiffiT.Settings {
  /// What one image costs, counted from the settings.
  public struct Cost: Sendable, Equatable {
    /// Floating-point operations of a forward pass (a multiplication and an addition are two), of the
    /// matrix products and the attention. A training step costs three times that.
    public var forwardFlops = 0
    /// f32 elements that a forward pass saves for backward.
    public var savedElements = 0

    mutating func add(pixels: Int, inputs: Int, outputs: Int, taps: Int = 1, saved: Int) {
      forwardFlops += 2 * pixels * inputs * outputs * taps
      savedElements += pixels * saved
    }
  }

  public var cost: Cost {
    var cost = Cost()
    let last = channels.count - 1
    func pixels(_ stage: Int) -> Int { (resolution >> stage) * (resolution >> stage) }
    func cells(_ first: Int, _ stage: Int) {
      let (p, width) = (pixels(stage), channels[stage])
      for index in 0..<blocks[stage] {
        let inputs = index == 0 ? first : width
        let window = window(stage: stage)
        // Group norm saves its input, the convolution its own.
        cost.add(pixels: p, inputs: inputs, outputs: width, taps: 9, saved: 2 * inputs)
        // qkv: the norm's result; attention: qkv; projection: attention's result.
        cost.add(pixels: p, inputs: width, outputs: 3 * width, saved: width + 3 * width)
        cost.forwardFlops += 4 * p * window * window * width
        cost.add(pixels: p, inputs: width, outputs: width, saved: width)
        // MLP: the norm's result, before and after GELU.
        cost.add(pixels: p, inputs: width, outputs: 4 * width, saved: width + 4 * width)
        cost.add(pixels: p, inputs: 4 * width, outputs: width, saved: 4 * width)
        cost.forwardFlops += 2 * timeWidth * 3 * width
        if inputs != width { cost.add(pixels: p, inputs: inputs, outputs: width, saved: 0) }
      }
    }
    cost.forwardFlops += 2 * (embeddingWidth + timeWidth) * timeWidth
    cost.add(
      pixels: pixels(0), inputs: imageChannels, outputs: channels[0], taps: 9, saved: imageChannels)
    for stage in 0...last {
      cells(channels[max(stage - 1, 0)], stage)
      if stage < last {
        let width = channels[stage]
        cost.add(
          pixels: pixels(stage + 1), inputs: width, outputs: width, taps: 9, saved: 4 * width)
      }
    }
    for stage in (0..<last).reversed() {
      let below = channels[stage + 1]
      cost.add(pixels: pixels(stage + 1), inputs: below, outputs: below, taps: 9, saved: below)
      cells(below + channels[stage], stage)
    }
    cost.add(
      pixels: pixels(0), inputs: channels[0], outputs: imageChannels, taps: 9,
      saved: 2 * channels[0])
    return cost
  }
}
