import Autodiff
import TensorCore

/// A learned weight of the loss over noise levels: u(sigma) = w . Fourier(ln(sigma) / 4) + b. The
/// loss of an image, L, becomes L / e^u + u, whose minimum over u is at u = ln L: every noise level
/// then contributes alike.
///
/// Source: Karras et al., arXiv:2312.02696, configuration C, and its training code. The Fourier features
/// are sqrt(2) cos(2 pi (f_i x + p_i)) with fixed frequencies f_i ~ N(0, 1) and phases p_i in
/// [0, 1). w and b start at zero, which is the loss without them.
///
/// ```swift
/// import Diffusion
/// import TensorCore
///
/// let uncertainty = UncertaintyWeight()
/// uncertainty.parameters.allocate(on: ComputeContext(), gradients: true)
/// let levels = uncertainty.levels(of: [0.1, 1, 10])
/// print(levels.values)  // [0.0, 0.0, 0.0]
/// ```
public struct UncertaintyWeight {
  /// Number of Fourier features.
  public static let width = 128

  /// w [128, 1] and b [1].
  public let parameters: ParameterSet
  private let weight: Parameter
  private let bias: Parameter
  private let frequencies: [Double]
  private let phases: [Double]

  /// Declares the parameters; no memory is taken before `parameters.allocate`.
  public init() {
    parameters = ParameterSet()
    weight = parameters.root.parameter("weight", [Self.width, 1], .zeros, layout: .linear)
    bias = parameters.root.parameter("bias", [1], .zeros)
    parameters.seal()
    let stream = RandomStream(seed: 0, .fourier, position: 0)
    frequencies = (0..<Self.width).map { stream.normal($0) }
    phases = (0..<Self.width).map { stream.uniform(Self.width + $0) }
  }

  /// The Fourier features of each noise level: sigma [B] -> [B, 128], f32.
  public func features(_ sigma: [Double]) -> [Float] {
    sigma.flatMap { sigma in
      let x = PortableMath.log(sigma) / 4
      return zip(frequencies, phases).map { frequency, phase in
        let turns = frequency * x + phase
        return Float(
          2.0.squareRoot() * PortableMath.sinCosOfTurns(turns - turns.rounded(.down)).cos)
      }
    }
  }

  /// u of each noise level, sigma [B], on a tape of their own.
  public func levels(of sigma: [Double]) -> Levels {
    let tape = Tape()
    let rows = Tensor(
      features(sigma), [sigma.count, Self.width], on: parameters.weights.context)
    return Levels(tape: tape, u: linear(tape.constant(rows), weight, bias))
  }

  /// The uncertainty of some images, and the way back to its parameters.
  public struct Levels {
    /// Records how u follows from the parameters.
    public let tape: Tape
    private let u: Variable

    fileprivate init(tape: Tape, u: Variable) { (self.tape, self.u) = (tape, u) }

    /// u of each image, [B].
    public var values: [Double] { u.value.floats.map(Double.init) }

    /// 1 / e^u of each image. Where that is 0 or not finite the loss is not a number, and training
    /// leaves the step out.
    private var factors: [Double] { values.map { PortableMath.saturatingExp(-$0) } }

    /// The draws, with the loss of each image weighted by 1 / e^u.
    public func weighted(_ draws: [NoiseDraw]) -> [NoiseDraw] {
      zip(draws, factors).map { draw, factor in
        var draw = draw
        draw.weight *= factor
        return draw
      }
    }

    /// The sum over images of (L / e^u + u) / `batch`, whose gradient with respect to u is (1 - L /
    /// e^u) / `batch`; to run backward from on `tape`. L counts as a constant: its own gradient is
    /// that of the network.
    ///
    /// - Parameters:
    ///   - losses: L of each image, [B], without the weight.
    ///   - batch: images of the whole batch.
    public func share(losses: [Double], batch: Int) -> Variable {
      let scaled = zip(losses, factors).map { $0 * $1 }
      let gradient = Tensor(
        scaled.map { Float((1 - $0) / Double(batch)) }, u.shape, on: u.value.context)
      let terms = zip(scaled, values).map { ($0 + $1) / Double(batch) }
      return loss(terms, gradient: gradient, at: u)
    }
  }
}
