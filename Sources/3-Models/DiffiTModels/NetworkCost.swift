/// What one image costs a network, counted from its settings.
public struct NetworkCost: Sendable, Equatable {
  /// Floating-point operations of a forward pass (a multiplication and an addition are two), of the
  /// matrix products and the attention. A training step costs three times that.
  public var forwardFlops = 0
  /// Bytes that a forward pass saves for backward.
  public var savedBytes = 0
  /// Bytes of the block that saves most.
  public var largestBlockBytes = 0
  /// Forward operations of the blocks alone, which recomputation does twice.
  public var blockFlops = 0

  public init() {}

  mutating func product(_ rows: Int, _ inputs: Int, _ outputs: Int, taps: Int = 1) {
    forwardFlops += 2 * rows * inputs * outputs * taps
  }

  /// The products of a DiffiT block over `tokens` tokens, and what it saves.
  ///
  /// - Parameter size: bytes of an activation inside the block.
  /// - Returns: the bytes: both layer norms, qkv, the attention's result and the input of GELU.
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
