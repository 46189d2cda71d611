import TensorCore

extension Tensor {
  /// Lowers every element above `limit` to it, in place; f32.
  package func clip(atMost limit: Float) {
    withFloats { values in
      context.forElements(count) { begin, end in
        for i in Int(begin)..<Int(end) { values[i] = min(values[i], limit) }
      }
    }
  }
}
