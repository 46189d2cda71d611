import Operators
import TensorCore

// Products run in the precision `compute`, f32 or bf16: operands of another type are converted
// first. The gradient of an input has that input's type. The residual stream is f32.

/// A linear layer (dense, fully connected): y = x w + b on the rows of x; see `LinearOperator`.
///
/// Shapes: x [..., K], w [K, N], b [N] -> [..., N], in the type of x. Backward saves x.
public func linear(_ x: Variable, _ w: Parameter, _ b: Parameter?) -> Variable {
  linear(x, w.beside(x), b?.beside(x))
}

/// A linear layer whose weight and bias are variables; otherwise the same.
public func linear(_ x: Variable, _ w: Variable, _ b: Variable?) -> Variable {
  let y = LinearOperator.forward(x.value, weight: w.weight, bias: b?.value)
  return record(y, of: x, w, b) { dy, gradients in
    linearGradient(dy, x.value, x.slot, w, b, gradients)
  }
}

/// x w + b + row, where the row is the bias of another layer whose result this one is added to.
///
/// Shapes: x [..., K], w [K, N], b and row [N] -> [..., N]. Backward saves x.
public func linear(
  _ x: Variable, _ w: Parameter, _ b: Parameter?, plus row: Parameter
) -> Variable {
  linear(x, w.beside(x), b?.beside(x), plus: row.beside(x))
}

/// x w + b + row with variables for weight, bias and row; otherwise the same.
public func linear(_ x: Variable, _ w: Variable, _ b: Variable?, plus row: Variable) -> Variable {
  let y = LinearOperator.forward(x.value, weight: w.weight, bias: b?.value)
  return record(sum(y, row: row.value), of: x, w, b, row) { dy, gradients in
    linearGradient(dy, x.value, x.slot, w, b, gradients)
    gradients.write(to: row.slot) { LinearOperator.biasGradient(dy, into: $0, accumulate: $1) }
  }
}

/// residual + dropout(x w + b): the end of a residual branch.
///
/// Shapes: x [..., K], w [K, N], b [N], residual [..., N] and the result f32. Backward saves x, in
/// the precision `compute`.
///
/// - Parameters:
///   - x: the input of the branch's last layer.
///   - w: its weight.
///   - b: its bias; nil for none.
///   - residual: what the branch is added to.
///   - dropout: the dropout on the branch; nil for none.
///   - compute: precision of the product; by default the type of x.
public func linear(
  _ x: Variable, _ w: Parameter, _ b: Parameter?, addedTo residual: Variable,
  through dropout: Dropout? = nil, compute: DType? = nil
) -> Variable {
  linear(
    x, w.beside(x), b?.beside(x), addedTo: residual, through: dropout, compute: compute)
}

/// residual + dropout(x w + b) with variables for weight and bias; otherwise the same.
public func linear(
  _ x: Variable, _ w: Variable, _ b: Variable?, addedTo residual: Variable,
  through dropout: Dropout? = nil, compute: DType? = nil
) -> Variable {
  let mask = dropout?.mask(beside: x)
  let operand = x.value.cast(to: compute ?? x.value.dtype)
  let y = added(
    LinearTerm(x: operand, weight: w.weight, bias: b?.value), to: residual.value, mask)
  let (input, before) = (x.slot, residual.slot)
  return record(y, of: x, w, b, residual) { dy, gradients in
    gradients.add(to: before) { dy }
    linearGradient(
      branchGradient(dy, mask, operand.dtype), operand, input, w, b, gradients)
  }
}

/// residual + dropout(GELU(x w1 + b1) w2 + b2): the MLP (feed-forward part) of a transformer block.
///
/// Shapes: x [..., K], w1 [K, M], w2 [M, N], residual [..., N] and the result f32. Backward saves x
/// and the input of GELU, and computes GELU again.
public func multilayerPerceptron(
  _ x: Variable, _ w1: Parameter, _ b1: Parameter?, _ w2: Parameter, _ b2: Parameter?,
  addedTo residual: Variable, through dropout: Dropout
) -> Variable {
  multilayerPerceptron(
    x, w1.beside(x), b1?.beside(x), w2.beside(x), b2?.beside(x), addedTo: residual,
    through: dropout)
}

/// The MLP with variables for weights and biases; otherwise the same.
public func multilayerPerceptron(
  _ x: Variable, _ w1: Variable, _ b1: Variable?, _ w2: Variable, _ b2: Variable?,
  addedTo residual: Variable, through dropout: Dropout
) -> Variable {
  let mask = dropout.mask(beside: x)
  let tape = tape(of: [x, w1, b1, w2, b2, residual])
  let (hidden, activated) = LinearOperator.activated(
    x.value, weight: w1.weight, bias: b1?.value, keepsInput: tape?.records == true)
  let y = added(
    LinearTerm(x: activated, weight: w2.weight, bias: b2?.value), to: residual.value, mask)
  let before = residual.slot
  guard let hidden else { return tape?.constant(y) ?? Variable(y) }
  return record(y, of: x, w1, b1, w2, b2, residual) { dy, gradients in
    gradients.add(to: before) { dy }
    let dy = branchGradient(dy, mask, hidden.dtype)
    let inner = LinearOperator.inputGradient(dy, weight: w2.weight)
    let again = ActivationOperator.geluAgain(hidden, gradient: inner)
    parameterGradients(dy, again, w2, b2, gradients)
    linearGradient(inner, x.value, x.slot, w1, b1, gradients)
  }
}

private struct LinearTerm {
  let x: Tensor
  let weight: Weight
  let bias: Tensor?
}

/// residual + mask(x w + b), f32.
private func added(_ term: LinearTerm, to residual: Tensor, _ mask: DropoutOperator?) -> Tensor {
  let y = LinearOperator.forward(
    term.x, weight: term.weight, bias: term.bias, plus: mask == nil ? residual : nil,
    output: .float32)
  return mask?(y, plus: residual) ?? y
}

/// The gradient of the branch behind a sum, masked as in the forward pass and in the precision of
/// the products.
private func branchGradient(_ dy: Tensor, _ mask: DropoutOperator?, _ dtype: DType) -> Tensor {
  mask?(dy, output: dtype) ?? dy.cast(to: dtype)
}

private func linearGradient(
  _ dy: Tensor, _ x: Tensor, _ input: Slot, _ w: Variable, _ b: Variable?, _ gradients: Gradients
) {
  parameterGradients(dy, x, w, b, gradients)
  gradients.add(to: input) {
    LinearOperator.inputGradient(
      dy, weight: w.weight, plus: gradients.take(input), output: input.dtype)
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

/// A 3x3 or 4x4 convolution; see `ConvolutionOperator`.
///
/// Shapes: x [B, H, W, K], w [s, s, K, N], b [N] -> [B, H', W', N], f32. Backward saves x, in the
/// precision `compute`.
public func convolution(
  _ x: Variable, _ w: Parameter, _ b: Parameter?, _ kind: ConvolutionOperator.Kind,
  compute: DType? = nil
) -> Variable {
  convolution(x, w.beside(x), b?.beside(x), kind, compute: compute)
}

/// A convolution with variables for weight and bias; otherwise the same.
public func convolution(
  _ x: Variable, _ w: Variable, _ b: Variable?, _ kind: ConvolutionOperator.Kind,
  compute: DType? = nil
) -> Variable {
  let operand = x.value.cast(to: compute ?? x.value.dtype)
  let y = ConvolutionOperator.forward(
    operand, weight: w.weight, bias: b?.value, kind: kind, output: .float32)
  let input = x.slot
  return record(y, of: x, w, b) { dy, gradients in
    if let b {
      gradients.write(to: b.slot) { ConvolutionOperator.biasGradient(dy, into: $0, accumulate: $1) }
    }
    let dy = dy.cast(to: operand.dtype)
    gradients.write(to: w.slot) {
      ConvolutionOperator.weightGradient(operand, dy, kind: kind, into: $0, accumulate: $1)
    }
    gradients.add(to: input) {
      ConvolutionOperator.inputGradient(
        dy, weight: w.weight, kind: kind, inputShape: input.shape, plus: gradients.take(input),
        output: input.dtype)
    }
  }
}

/// Only the weight gradient of a convolution: dw [s, s, K, N] = sum over pixels of x dy, for x [B,
/// H, W, K] and dy [B, H', W', N], f32. With `accumulate` it is added to dw.
public func convolutionWeightGradient(
  _ x: Tensor, _ dy: Tensor, _ kind: ConvolutionOperator.Kind, into dw: Tensor, accumulate: Bool
) {
  ConvolutionOperator.weightGradient(x, dy, kind: kind, into: dw, accumulate: accumulate)
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

/// Window attention whose bias table is a variable; otherwise the same.
public func windowAttention(
  _ qkv: Variable, plus shift: Variable, bias table: Variable, heads: Int, window: Int
) -> Variable {
  let attention = WindowAttentionOperator(heads: heads, window: window)
  let out = attention.forward(qkv.value, shift: shift.value, table: table.value)
  return record(out, of: qkv, shift, table) { dout, gradients in
    let (dqkv, dshift, shares) = attention.gradient(
      dout, qkv: qkv.value, shift: shift.value, table: table.value)
    gradients.write(to: table.slot) { attention.tableGradient(shares, into: $0, accumulate: $1) }
    gradients.add(to: shift.slot) { dshift }
    gradients.add(to: qkv.slot) { dqkv }
  }
}

/// Single-head self-attention among all pixels of each image; see `PixelAttentionOperator`.
///
/// Shapes: q, k, v [B, H, W, C] -> the same. Backward saves its inputs.
public func pixelAttention(_ q: Variable, _ k: Variable, _ v: Variable) -> Variable {
  let out = PixelAttentionOperator.forward(q.value, k.value, v.value)
  return record(out, of: q, k, v) { dout, gradients in
    let (dq, dk, dv) = PixelAttentionOperator.gradient(dout, q.value, k.value, v.value)
    gradients.add(to: q.slot) { dq }
    gradients.add(to: k.slot) { dk }
    gradients.add(to: v.slot) { dv }
  }
}
