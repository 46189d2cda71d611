import Operators
import TensorCore

// Weights that nobody keeps the panels of.

extension LinearOperator {
  public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    forward(x, weight: Weight(weight), bias: bias)
  }
  public static func inputGradient(_ dy: Tensor, weight: Tensor) -> Tensor {
    inputGradient(dy, weight: Weight(weight))
  }
}

extension ConvolutionOperator {
  public static func forward(_ x: Tensor, weight: Tensor, bias: Tensor?, kind: Kind) -> Tensor {
    forward(x, weight: Weight(weight), bias: bias, kind: kind)
  }
  public static func inputGradient(
    _ dy: Tensor, weight: Tensor, kind: Kind, inputShape: Shape
  ) -> Tensor {
    inputGradient(dy, weight: Weight(weight), kind: kind, inputShape: inputShape)
  }
}
