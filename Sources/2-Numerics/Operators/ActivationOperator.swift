import CKernels
import TensorCore

/// Activation functions, element by element, on f32 or bf16. Backward needs x.
public enum ActivationOperator: Sendable {
  /// SiLU, also called Swish: x sigmoid(x).
  case silu
  /// GELU, x Phi(x), in its tanh form.
  case gelu

  /// The activation of every element, in the shape and type of x.
  public func forward(_ x: Tensor) -> Tensor {
    let y = Tensor(x.shape, x.dtype, on: x.context)
    let kernels = x.context.kernels[x.dtype]
    let kernel = self == .silu ? kernels.silu : kernels.gelu
    x.context.measured("\(self)", flops: 0, bytes: 2 * x.byteCount) {
      withElements(x, y) { from, to in
        x.context.forElements(x.count) { kernel(from, $0, $1, to) }
      }
    }
    return y
  }

  /// dx = dy f'(x), in the shape and type of x.
  public func gradient(_ dy: Tensor, x: Tensor) -> Tensor {
    invariant(
      dy.shape == x.shape && dy.dtype == x.dtype, "\(self) gradient: dy \(dy.shape), x \(x.shape)")
    let dx = Tensor(x.shape, x.dtype, on: x.context)
    let kernels = x.context.kernels[x.dtype]
    x.context.measured("\(self), gradient", flops: 0, bytes: 3 * x.byteCount) {
      withElements(x, dy, dx) { from, slope, to in
        x.context.forElements(x.count) { begin, end in
          switch self {
          case .silu: kernels.silu_gradient(from, slope, begin, end, to)
          case .gelu: kernels.gelu_gradient(from, slope, begin, end, to, nil)
          }
        }
      }
    }
    return dx
  }

  /// The gradient of GELU, and its value a second time: a backward pass that saved only x needs
  /// both. In bf16, x was rounded when it was saved, so the value may differ from the first one in
  /// its last bit.
  ///
  /// - Parameters:
  ///   - x: the saved input of GELU.
  ///   - dy: the gradient of the result; it becomes the gradient of x, in place.
  public static func geluAgain(_ x: Tensor, gradient dy: Tensor) -> Tensor {
    invariant(dy.shape == x.shape && dy.dtype == x.dtype, "gelu: dy \(dy.shape), x \(x.shape)")
    let y = Tensor(x.shape, x.dtype, on: x.context)
    let kernels = x.context.kernels[x.dtype]
    x.context.measured("gelu, gradient", flops: 0, bytes: 4 * x.byteCount) {
      withElements(x, dy, y) { from, slope, again in
        x.context.forElements(x.count) { kernels.gelu_gradient(from, slope, $0, $1, slope, again) }
      }
    }
    return y
  }
}

/// Leaky ReLU: x if x is above 0, else slope x, element by element, on f32 or bf16; a slope of 0 is
/// ReLU. Backward needs only y, because with a slope of 0 or more its sign is that of x.
public enum LeakyReLUOperator {
  /// Leaky ReLU of every element, in the shape and type of x.
  ///
  /// - Parameters:
  ///   - x: the input.
  ///   - slope: the factor for elements that are not positive; 0 or more.
  public static func forward(_ x: Tensor, slope: Float) -> Tensor {
    invariant(slope >= 0, "leakyReLU: slope \(slope)")
    let y = Tensor(x.shape, x.dtype, on: x.context)
    let kernel = x.context.kernels[x.dtype].leaky_relu
    x.context.measured("leaky relu", flops: 0, bytes: 2 * x.byteCount) {
      withElements(x, y) { x, to in
        y.context.forElements(y.count) { kernel(x, slope, $0, $1, to) }
      }
    }
    return y
  }

  /// dx, in the shape and type of y.
  ///
  /// - Parameters:
  ///   - dy: the gradient of the result.
  ///   - y: the result of `forward`.
  ///   - slope: the slope that `forward` was given.
  public static func gradient(_ dy: Tensor, y: Tensor, slope: Float) -> Tensor {
    invariant(
      dy.shape == y.shape && dy.dtype == y.dtype,
      "leakyReLU gradient: dy \(dy.shape) \(dy.dtype), y \(y.shape) \(y.dtype)")
    let dx = Tensor(y.shape, y.dtype, on: y.context)
    let kernel = y.context.kernels[y.dtype].leaky_relu_gradient
    y.context.measured("leaky relu, gradient", flops: 0, bytes: 3 * y.byteCount) {
      withElements(y, dy, dx) { y, dy, to in
        dx.context.forElements(dx.count) { kernel(y, dy, slope, $0, $1, to) }
      }
    }
    return dx
  }
}
