import Operators
import TensorCore

// Weights that nobody keeps the panels of.

extension LinearOperator {
  package static func forward(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    forward(x, weight: Weight(weight), bias: bias)
  }
  package static func inputGradient(_ dy: Tensor, weight: Tensor) -> Tensor {
    inputGradient(dy, weight: Weight(weight))
  }
}

extension ConvolutionOperator {
  package static func forward(_ x: Tensor, weight: Tensor, bias: Tensor?, kind: Kind) -> Tensor {
    forward(x, weight: Weight(weight), bias: bias, kind: kind)
  }
  package static func inputGradient(
    _ dy: Tensor, weight: Tensor, kind: Kind, inputShape: Shape
  ) -> Tensor {
    inputGradient(dy, weight: Weight(weight), kind: kind, inputShape: inputShape)
  }
}
