import CKernels
import TensorCore

/// Activations, element by element. Backward needs x.
public enum ActivationOperator: Sendable {
  /// x sigmoid(x), also called Swish.
  case silu
  /// x Phi(x) in its tanh form.
  case gelu

  public func forward(_ x: Tensor) -> Tensor {
    let y = Tensor(x.shape, on: x.engine)
    let kernels = x.engine.kernels.table.pointee
    let kernel = self == .silu ? kernels.silu : kernels.gelu
    withFloats(x, y) { from, to in
      x.engine.forElements(x.count) { kernel(from, $0, $1, to) }
    }
    return y
  }

  public func gradient(_ dy: Tensor, x: Tensor) -> Tensor {
    invariant(dy.shape == x.shape, "\(self) gradient: dy \(dy.shape), x \(x.shape)")
    let dx = Tensor(x.shape, on: x.engine)
    let kernels = x.engine.kernels.table.pointee
    let kernel = self == .silu ? kernels.silu_gradient : kernels.gelu_gradient
    withFloats(x, dy, dx) { from, slope, to in
      x.engine.forElements(x.count) { kernel(from, slope, $0, $1, to) }
    }
    return dx
  }
}

extension Engine {
  /// Runs a kernel over flat ranges of `count` elements, one a thread.
  func forElements(_ count: Int, _ body: (Int64, Int64) -> Void) {
    threads.forRanges(of: count, grain: 4096) { body(Int64($0.lowerBound), Int64($0.upperBound)) }
  }
}
