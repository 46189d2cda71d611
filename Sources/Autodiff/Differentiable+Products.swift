import Operators
import TensorCore

/// y = x w + b on the rows of x; see `LinearOperator`.
///
/// Shapes: x [..., K], w [K, N], b [N] -> [..., N]. Backward saves x.
public func linear(_ x: Variable, _ w: Parameter, _ b: Parameter?) -> Variable {
  linear(x, w.beside(x), b?.beside(x))
}

public func linear(_ x: Variable, _ w: Variable, _ b: Variable?) -> Variable {
  let y = LinearOperator.forward(x.value, weight: w.weight, bias: b?.value)
  return record(y, of: x, w, b) { dy, gradients in
    linearGradient(dy, x.value, x.slot, w, b, gradients)
  }
}

/// residual + dropout(x w + b): the end of a residual branch.
///
/// Shapes: x [..., K], w [K, N], b [N], residual [..., N] -> [..., N]. Backward saves x.
public func linear(
  _ x: Variable, _ w: Parameter, _ b: Parameter?, addedTo residual: Variable,
  through dropout: Dropout? = nil
) -> Variable {
  linear(x, w.beside(x), b?.beside(x), addedTo: residual, through: dropout)
}

public func linear(
  _ x: Variable, _ w: Variable, _ b: Variable?, addedTo residual: Variable,
  through dropout: Dropout? = nil
) -> Variable {
  let mask = dropout?.mask(beside: x)
  let y = added(LinearTerm(x: x.value, weight: w.weight, bias: b?.value), to: residual, mask)
  let before = residual.slot
  return record(y, of: x, w, b, residual) { dy, gradients in
    gradients.add(to: before) { dy }
    linearGradient(mask?(dy) ?? dy, x.value, x.slot, w, b, gradients)
  }
}

/// residual + dropout(GELU(x w1 + b1) w2 + b2): the MLP of a transformer block.
///
/// Shapes: x [..., K], w1 [K, M], w2 [M, N], residual [..., N] -> [..., N]. Backward saves x and the input
/// of GELU, and computes GELU again.
public func multilayerPerceptron(
  _ x: Variable, _ w1: Parameter, _ b1: Parameter?, _ w2: Parameter, _ b2: Parameter?,
  addedTo residual: Variable, through dropout: Dropout
) -> Variable {
  multilayerPerceptron(
    x, w1.beside(x), b1?.beside(x), w2.beside(x), b2?.beside(x), addedTo: residual,
    through: dropout)
}

public func multilayerPerceptron(
  _ x: Variable, _ w1: Variable, _ b1: Variable?, _ w2: Variable, _ b2: Variable?,
  addedTo residual: Variable, through dropout: Dropout
) -> Variable {
  let mask = dropout.mask(beside: x)
  let (hidden, activated) = LinearOperator.activated(
    x.value, weight: w1.weight, bias: b1?.value, keepsInput: x.tape?.records == true)
  let term = LinearTerm(x: activated, weight: w2.weight, bias: b2?.value)
  let y = added(term, to: residual, mask)
  let before = residual.slot
  guard let hidden else { return record(y, of: x) { _, _ in } }
  return record(y, of: x, w1, b1, w2, b2, residual) { dy, gradients in
    gradients.add(to: before) { dy }
    let dy = mask?(dy) ?? dy
    let slope = LinearOperator.inputGradient(dy, weight: w2.weight)
    let again = ActivationOperator.geluAgain(hidden, gradient: slope)
    parameterGradients(dy, again, w2, b2, gradients)
    linearGradient(slope, x.value, x.slot, w1, b1, gradients)
  }
}

private struct LinearTerm {
  let x: Tensor
  let weight: Weight
  let bias: Tensor?
}

private func added(_ term: LinearTerm, to residual: Variable, _ mask: DropoutOperator?) -> Tensor {
  guard let mask else {
    return LinearOperator.forward(
      term.x, weight: term.weight, bias: term.bias, plus: residual.value)
  }
  let y = LinearOperator.forward(term.x, weight: term.weight, bias: term.bias)
  return mask(y, plus: residual.value)
}

private func linearGradient(
  _ dy: Tensor, _ x: Tensor, _ input: Slot, _ w: Variable, _ b: Variable?, _ gradients: Gradients
) {
  parameterGradients(dy, x, w, b, gradients)
  gradients.add(to: input) {
    LinearOperator.inputGradient(dy, weight: w.weight, plus: gradients.take(input))
  }
}

private func parameterGradients(
  _ dy: Tensor, _ x: Tensor, _ w: Variable, _ b: Variable?, _ gradients: Gradients
) {
  if let b {
    gradients.write(to: b.slot) { LinearOperator.biasGradient(dy, into: $0, accumulate: $1) }
  }
  gradients.write(to: w.slot) { LinearOperator.weightGradient(x, dy, into: $0, accumulate: $1) }
}

/// 3x3 convolution; see `ConvolutionOperator`.
///
/// Shapes: x [B, H, W, K], w [3, 3, K, N], b [N] -> y [B, H', W', N]. Backward saves x.
public func convolution(
  _ x: Variable, _ w: Parameter, _ b: Parameter?, _ kind: ConvolutionOperator.Kind,
  output: DType? = nil
) -> Variable {
  convolution(x, w.beside(x), b?.beside(x), kind, output: output)
}

public func convolution(
  _ x: Variable, _ w: Variable, _ b: Variable?, _ kind: ConvolutionOperator.Kind,
  output: DType? = nil
) -> Variable {
  let y = ConvolutionOperator.forward(
    x.value, weight: w.weight, bias: b?.value, kind: kind, output: output)
  return record(y, of: x, w, b) { dy, gradients in
    let dy = dy.cast(to: x.value.dtype)
    if let b {
      gradients.write(to: b.slot) { ConvolutionOperator.biasGradient(dy, into: $0, accumulate: $1) }
    }
    gradients.write(to: w.slot) {
      ConvolutionOperator.weightGradient(x.value, dy, kind: kind, into: $0, accumulate: $1)
    }
    gradients.add(to: x.slot) {
      ConvolutionOperator.inputGradient(
        dy, weight: w.weight, kind: kind, inputShape: x.shape, plus: gradients.take(x.slot))
    }
  }
}

/// Window attention between its projections; see `WindowAttentionOperator`.
///
/// Shapes: qkv [B, H, W, 3 C], shift [B, 3 C], table [(2 w - 1)^2, heads] -> [B, H, W, C]. Backward
/// saves its inputs.
public func windowAttention(
  _ qkv: Variable, plus shift: Variable, bias table: Parameter, heads: Int, window: Int
) -> Variable {
  windowAttention(qkv, plus: shift, bias: table.beside(qkv), heads: heads, window: window)
}

public func windowAttention(
  _ qkv: Variable, plus shift: Variable, bias table: Variable, heads: Int, window: Int
) -> Variable {
  let attention = WindowAttentionOperator(heads: heads, window: window)
  let out = attention.forward(qkv.value, shift: shift.value, table: table.value)
  return record(out, of: qkv, shift, table) { dout, gradients in
    let (dqkv, shares) = attention.gradient(
      dout, qkv: qkv.value, shift: shift.value, table: table.value)
    gradients.write(to: table.slot) { attention.tableGradient(shares, into: $0, accumulate: $1) }
    gradients.add(to: shift.slot) { WindowAttentionOperator.shiftGradient(dqkv) }
    gradients.add(to: qkv.slot) { dqkv }
  }
}
