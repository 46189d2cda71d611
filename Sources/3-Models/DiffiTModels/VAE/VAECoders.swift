import Autodiff
import NeuralNetworks
import TensorCore

extension VAE {
  /// Runs a ResBlock, either as it is or with recomputation.
  typealias Run = (VAEResBlock, Variable) -> Variable

  /// Images to moments. Checkpoint keys: `conv_in`, `down_blocks.LEVEL.resnets.I`,
  /// `down_blocks.LEVEL.downsamplers.0.conv`, `mid_block`, `conv_norm_out`, `conv_out`.
  struct Encoder {
    let first: Convolution
    let levels: [(blocks: [VAEResBlock], down: Convolution?)]
    let middle: VAEMiddle
    let norm: GroupNorm
    let last: Convolution

    init(_ scope: ParameterScope, _ s: Settings, _ precision: DType) {
      let (top, bottom) = (s.channels[0], s.channels[s.channels.count - 1])
      first = Convolution(
        scope("conv_in"), in: s.imageChannels, out: top, initializer: .fanInUniform)
      levels = s.channels.indices.map { level in
        let (width, scope) = (s.channels[level], scope("down_blocks", level))
        let blocks = (0..<s.layers).map { index in
          let inputs = index == 0 ? s.channels[max(level - 1, 0)] : width
          return VAEResBlock(
            scope("resnets", index), in: inputs, out: width, groups: s.groups,
            precision: s.precision(precision, inputs, width))
        }
        let down =
          level == s.channels.count - 1
          ? nil
          : Convolution(
            scope("downsamplers", 0, "conv"), in: width, out: width, .downAfter,
            initializer: .fanInUniform, compute: s.precision(precision, width))
        return (blocks, down)
      }
      middle = VAEMiddle(
        scope("mid_block"), width: bottom, groups: s.groups,
        precision: s.precision(precision, bottom))
      norm = GroupNorm(scope("conv_norm_out"), channels: bottom, groups: s.groups, swish: true)
      last = Convolution(
        scope("conv_out"), in: bottom, out: 2 * s.latentChannels, initializer: .fanInUniform)
    }

    func callAsFunction(_ x: Variable, _ run: Run) -> Variable {
      var x = first(x)
      for level in levels {
        for block in level.blocks { x = run(block, x) }
        if let down = level.down { x = down(x) }
      }
      return last(norm(middle(x, run)))
    }
  }

  /// Latents to images. Checkpoint keys: `conv_in`, `mid_block`, `up_blocks.LEVEL.resnets.I` with
  /// levels from the coarsest, `up_blocks.LEVEL.upsamplers.0.conv`, `conv_norm_out`, `conv_out`.
  struct Decoder {
    let first: Convolution
    let middle: VAEMiddle
    let levels: [(blocks: [VAEResBlock], up: Convolution?)]
    let norm: GroupNorm
    let last: Convolution

    init(_ scope: ParameterScope, _ s: Settings, _ precision: DType) {
      let channels = Array(s.channels.reversed())
      let top = channels[channels.count - 1]
      first = Convolution(
        scope("conv_in"), in: s.latentChannels, out: channels[0], initializer: .fanInUniform)
      middle = VAEMiddle(
        scope("mid_block"), width: channels[0], groups: s.groups,
        precision: s.precision(precision, channels[0]))
      levels = channels.indices.map { level in
        let (width, scope) = (channels[level], scope("up_blocks", level))
        let blocks = (0...s.layers).map { index in
          let inputs = index == 0 ? channels[max(level - 1, 0)] : width
          return VAEResBlock(
            scope("resnets", index), in: inputs, out: width, groups: s.groups,
            precision: s.precision(precision, inputs, width))
        }
        let up =
          level == channels.count - 1
          ? nil
          : Convolution(
            scope("upsamplers", 0, "conv"), in: width, out: width, .nearestUp,
            initializer: .fanInUniform, compute: s.precision(precision, width))
        return (blocks, up)
      }
      norm = GroupNorm(scope("conv_norm_out"), channels: top, groups: s.groups, swish: true)
      last = Convolution(
        scope("conv_out"), in: top, out: s.imageChannels, initializer: .fanInUniform)
    }

    /// The input of the last convolution.
    func hidden(_ z: Variable, _ run: Run) -> Variable {
      var x = middle(first(z), run)
      for level in levels {
        for block in level.blocks { x = run(block, x) }
        if let up = level.up { x = up(x) }
      }
      return norm(x)
    }
  }
}
