import Operators
import TensorCore

/// y = x w + b on the rows of x; see `LinearOperator`.
///
/// Shapes: x [..., K], w [K, N], b [N] -> [..., N]. Backward saves x.
public func linear(_ x: Variable, _ w: Parameter, _ b: Parameter?) -> Variable {
  linear(x, w.beside(x), b?.beside(x))
}

public func linear(_ x: Variable, _ w: Variable, _ b: Variable?) -> Variable {
  let y = LinearOperator.forward(x.value, weight: w.value, bias: b?.value)
  return record(y, of: x, w, b) { dy, gradients in
    if let b {
      gradients.write(to: b.slot) { LinearOperator.biasGradient(dy, into: $0, accumulate: $1) }
    }
    gradients.write(to: w.slot) {
      LinearOperator.weightGradient(x.value, dy, into: $0, accumulate: $1)
    }
    gradients.add(to: x.slot) { LinearOperator.inputGradient(dy, weight: w.value) }
  }
}

/// 3x3 convolution; see `ConvolutionOperator`.
///
/// Shapes: x [B, H, W, K], w [3, 3, K, N], b [N] -> [B, H', W', N]. Backward saves x.
public func convolution(
  _ x: Variable, _ w: Parameter, _ b: Parameter?, _ kind: ConvolutionOperator.Kind
) -> Variable {
  convolution(x, w.beside(x), b?.beside(x), kind)
}

public func convolution(
  _ x: Variable, _ w: Variable, _ b: Variable?, _ kind: ConvolutionOperator.Kind
) -> Variable {
  let y = ConvolutionOperator.forward(x.value, weight: w.value, bias: b?.value, kind: kind)
  return record(y, of: x, w, b) { dy, gradients in
    if let b {
      gradients.write(to: b.slot) { ConvolutionOperator.biasGradient(dy, into: $0, accumulate: $1) }
    }
    gradients.write(to: w.slot) {
      ConvolutionOperator.weightGradient(x.value, dy, kind: kind, into: $0, accumulate: $1)
    }
    gradients.add(to: x.slot) {
      ConvolutionOperator.inputGradient(dy, weight: w.value, kind: kind, inputShape: x.shape)
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
