import Autodiff
import NeuralNetworks
import TensorCore

/// Two convolutions, each after a group norm and SiLU, inside a residual. If the width changes, a
/// 1x1 convolution carries the residual.
///
/// Source: Rombach et al., arXiv:2112.10752; checkpoint keys as in diffusers' `ResnetBlock2D`.
/// Shapes: x [B, H, W, in] -> [B, H, W, out], f32; inside the branch `precision`.
struct VAEResBlock {
  let norm1: GroupNorm
  let conv1: Convolution
  let norm2: GroupNorm
  let conv2: Convolution
  let shortcut: PointwiseConvolution?

  init(
    _ scope: ParameterScope, in inputs: Int, out outputs: Int, groups: Int, precision: DType
  ) {
    norm1 = GroupNorm(
      scope("norm1"), channels: inputs, groups: groups, swish: true, output: precision)
    conv1 = Convolution(
      scope("conv1"), in: inputs, out: outputs, initializer: .fanInUniform, compute: precision)
    norm2 = GroupNorm(
      scope("norm2"), channels: outputs, groups: groups, swish: true, output: precision)
    conv2 = Convolution(
      scope("conv2"), in: outputs, out: outputs, initializer: .fanInUniform, compute: precision)
    shortcut =
      inputs == outputs
      ? nil
      : PointwiseConvolution(
        scope("conv_shortcut"), in: inputs, out: outputs, initializer: .fanInUniform,
        compute: precision)
  }

  func callAsFunction(_ x: Variable) -> Variable {
    let y = conv2(norm2(conv1(norm1(x))))
    return shortcut?(x, addedTo: y) ?? y + x
  }
}

/// Single-head self-attention among all pixels, after a group norm and inside a residual.
///
/// Checkpoint keys as in diffusers' `Attention`: `group_norm`, `to_q`, `to_k`, `to_v`, `to_out.0`.
/// Shapes: x [B, H, W, C] -> the same, f32; inside the branch `precision`.
struct VAEAttention {
  let norm: GroupNorm
  let query: Linear
  let key: Linear
  let value: Linear
  let output: Linear

  init(_ scope: ParameterScope, width: Int, groups: Int, precision: DType) {
    norm = GroupNorm(scope("group_norm"), channels: width, groups: groups, output: precision)
    func layer(_ scope: ParameterScope) -> Linear {
      Linear(scope, in: width, out: width, initializer: .fanInUniform)
    }
    query = layer(scope("to_q"))
    key = layer(scope("to_k"))
    value = layer(scope("to_v"))
    output = layer(scope("to_out", 0))
  }

  func callAsFunction(_ x: Variable) -> Variable {
    let h = norm(x)
    return output(pixelAttention(query(h), key(h), value(h)), addedTo: x)
  }
}

/// The coarsest level: ResBlock, attention, ResBlock. Checkpoint keys: `resnets.0`, `attentions.0`,
/// `resnets.1`.
struct VAEMiddle {
  let first: VAEResBlock
  let attention: VAEAttention
  let second: VAEResBlock

  init(_ scope: ParameterScope, width: Int, groups: Int, precision: DType) {
    first = VAEResBlock(
      scope("resnets", 0), in: width, out: width, groups: groups, precision: precision)
    attention = VAEAttention(
      scope("attentions", 0), width: width, groups: groups, precision: precision)
    second = VAEResBlock(
      scope("resnets", 1), in: width, out: width, groups: groups, precision: precision)
  }

  func callAsFunction(_ x: Variable, _ run: (VAEResBlock, Variable) -> Variable) -> Variable {
    run(second, attention(run(first, x)))
  }
}
