/// What one image costs in a network, computed from the network's settings.
public struct NetworkCost: Sendable, Equatable {
  /// Floating-point operations of the matrix products and the attention in a forward pass; a
  /// multiply-add counts as two. A training step costs three times as many.
  public var forwardFlops = 0
  /// Bytes of activations that a forward pass saves for backward.
  public var savedBytes = 0
  /// Bytes of activations of the block that saves most.
  public var largestBlockBytes = 0
  /// Forward operations of only the blocks, which recomputation repeats.
  public var blockFlops = 0

  /// A cost of zero.
  public init() {}

  /// Adds the operations of a product of [rows, inputs] and [inputs, outputs], times the taps of a
  /// convolution.
  mutating func product(_ rows: Int, _ inputs: Int, _ outputs: Int, taps: Int = 1) {
    forwardFlops += 2 * rows * inputs * outputs * taps
  }

  /// Adds the products of a DiffiT block over `tokens` tokens.
  ///
  /// - Parameters:
  ///   - tokens: tokens per image.
  ///   - width: channels of a token.
  ///   - timeDim: width of the time token.
  ///   - window: side of the attention windows.
  ///   - size: bytes of an activation inside the block.
  /// - Returns: the bytes that the block saves: both layer norms, qkv, the result of the attention
  ///   and the input of GELU.
  mutating func diffiTBlock(
    tokens: Int, width: Int, timeDim: Int, window: Int, size: Int
  ) -> Int {
    product(tokens, width, 3 * width)
    forwardFlops += 4 * tokens * window * window * width
    product(tokens, width, width)
    product(tokens, width, 4 * width)
    product(tokens, 4 * width, width)
    product(1, timeDim, 3 * width)
    return tokens * size * 10 * width
  }
}
