import CommandSupport
import Foundation
import ModelLoading
import TensorCore

/// `diffit export`: writes the weights of a checkpoint as named tensors in PyTorch's layouts, those
/// of an autoencoder as a folder in diffusers' layout.
package enum Export {
  /// Writes the file or the folder. Only the first rank works.
  package static func run(_ options: ExportOptions) throws {
    guard ProcessRank.isFirst else { return }
    let (model, passedOver) = try LoadedModel.open(
      options.checkpoint, ema: options.ema ?? defaultAverage(options), config: options.config)
    let log = RunLog()
    for passed in passedOver { log.warning("passed over: \(passed.reason)") }
    let output = URL(fileURLWithPath: options.output)
    var what = model.vector
    if let length = options.length {
      let made = try PostHocAverage(length: length, of: model, on: ComputeContext())
      what = "an average of length \(length), made of \(made.snapshots) snapshots"
      try model.export(
        to: output, carriesSettings: !options.isBare,
        made: (made.weights, "length.\(length)"))
    } else if model.configuration.model.kind == .vae {
      try DiffusersVAE.write(model.autoencoder(on: ComputeContext()), to: output)
    } else {
      try model.export(to: output, carriesSettings: !options.isBare)
    }
    log.info(
      "wrote \(what) of \(model.path) (\(model.imagesSeen) images) to"
        + " \(options.output)")
  }

  /// A checkpoint's weights themselves; what a file holds, whatever it is.
  private static func defaultAverage(_ options: ExportOptions) -> String? {
    WeightsFile.isOne(options.checkpoint) ? nil : "raw"
  }
}
