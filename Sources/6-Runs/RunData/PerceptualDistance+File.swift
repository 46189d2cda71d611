import Autodiff
import Checkpoints
import DiffiTModels
import Foundation
import TensorCore

extension PerceptualDistance {
  /// Reads the weights from the file that `launch/convert-lpips.py` makes: VGG16's
  /// `features.I.weight` and `features.I.bias` and LPIPS' `linS.weight`, F32.
  ///
  /// - Throws: `CheckpointError`; `modelMismatch` names what is missing, unexpected or of another
  ///   shape.
  package init(
    weights url: URL, settings: Settings = Settings(), precision: DType = .float32,
    on context: ComputeContext
  ) throws {
    self.init(settings, precision: precision)
    parameters.allocate(on: context, gradients: false)
    try ModelFile.load(url, parameters.table, into: parameters.weights)
  }
}
