import TensorCore

extension VAE.Settings {
  /// What one image of `resolution` pixels per side costs in the encoder, the draw and the decoder.
  ///
  /// - Parameters:
  ///   - precision: the type of the activations inside blocks.
  ///   - recomputes: whether a ResBlock saves only its input.
  public func cost(precision: DType = .float32, recomputes: Bool = false) -> NetworkCost {
    var count = Counter(recomputes: recomputes)
    let last = channels.count - 1
    func pixels(_ level: Int) -> Int { (resolution >> level) * (resolution >> level) }
    func block(_ level: Int, _ inputs: Int, _ outputs: Int) {
      let size = self.precision(precision, inputs, outputs).size
      count.block(pixels(level), inputs, outputs, size)
    }
    func middle() {
      block(last, channels[last], channels[last])
      count.attention(
        pixels(last), channels[last], self.precision(precision, channels[last]).size)
      block(last, channels[last], channels[last])
    }
    func end(_ level: Int, _ outputs: Int) {
      count.layer(pixels(level), channels[level], outputs, taps: 9, saved: 8 * channels[level])
    }
    count.layer(pixels(0), imageChannels, channels[0], taps: 9, saved: 4 * imageChannels)
    for level in 0...last {
      for index in 0..<layers {
        block(level, channels[index == 0 ? max(level - 1, 0) : level], channels[level])
      }
      guard level < last else { continue }
      let (width, size) = (channels[level], self.precision(precision, channels[level]).size)
      count.layer(pixels(level + 1), width, width, taps: 9, saved: 4 * size * width)
    }
    middle()
    end(last, 2 * latentChannels)
    // Saved: the moments twice, the log variance, the noise, and z twice.
    let (p, latents) = (pixels(last), latentChannels)
    count.layer(p, 2 * latents, 2 * latents, taps: 1, saved: 16 * latents)
    count.layer(p, latents, latents, taps: 1, saved: 12 * latents)
    count.layer(p, latents, channels[last], taps: 9, saved: 4 * latents)
    middle()
    for level in (0...last).reversed() {
      for index in 0...layers {
        block(level, channels[index == 0 ? min(level + 1, last) : level], channels[level])
      }
      guard level > 0 else { continue }
      let (width, size) = (channels[level], self.precision(precision, channels[level]).size)
      count.layer(pixels(level), width, width, taps: 16, saved: size * width)
    }
    end(0, imageChannels)
    return count.cost
  }
}

/// Adds up layers.
private struct Counter {
  let recomputes: Bool
  var cost = NetworkCost()

  /// Adds a convolution and what it saves.
  ///
  /// - Parameter saved: bytes per pixel.
  mutating func layer(_ pixels: Int, _ inputs: Int, _ outputs: Int, taps: Int, saved: Int) {
    cost.forwardFlops += 2 * pixels * inputs * outputs * taps
    cost.savedBytes += pixels * saved
  }

  /// Adds a ResBlock. Its input and the input of the second norm are f32. The inputs of both
  /// convolutions have `size` bytes per element, and so has the input of the shortcut; in f32 that
  /// is the block's own input.
  mutating func block(_ pixels: Int, _ inputs: Int, _ outputs: Int, _ size: Int) {
    let before = cost.forwardFlops
    layer(pixels, inputs, outputs, taps: 9, saved: 0)
    layer(pixels, outputs, outputs, taps: 9, saved: 0)
    if inputs != outputs { layer(pixels, inputs, outputs, taps: 1, saved: 0) }
    cost.blockFlops += cost.forwardFlops - before
    let copy = inputs != outputs && size != 4 ? size * inputs : 0
    let saved = pixels * ((size * inputs + (4 + size) * outputs) + copy)
    cost.largestBlockBytes = max(cost.largestBlockBytes, saved)
    cost.savedBytes += pixels * 4 * inputs + (recomputes ? 0 : saved)
  }

  /// Adds an attention layer. It saves the inputs of the norm and of the projections, q, k, v and
  /// the input of the output layer.
  mutating func attention(_ pixels: Int, _ width: Int, _ size: Int) {
    cost.forwardFlops += 4 * 2 * pixels * width * width + 4 * pixels * pixels * width
    cost.savedBytes += pixels * width * (4 + 5 * size)
  }
}
