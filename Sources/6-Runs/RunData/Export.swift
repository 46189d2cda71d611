import Checkpoints
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
    let (reader, passedOver) = try CheckpointReader.find(options.checkpoint)
    let log = RunLog()
    for passed in passedOver { log.warning("passed over: \(passed.reason)") }
    let model = try LoadedModel(reader, ema: options.ema ?? "raw")
    let output = URL(fileURLWithPath: options.output)
    var what = model.vector
    if let length = options.length {
      let made = try PostHocAverage(length: length, of: model, on: ComputeContext())
      what = "an average of length \(length), made of \(made.snapshots) snapshots"
      try ModelFile.export(made.weights, model.configuration.modelTable, to: output)
    } else if model.configuration.model.kind == .vae {
      try DiffusersVAE.write(model.autoencoder(on: ComputeContext()), to: output)
    } else {
      try ModelFile.export(
        reader, vector: model.vector, of: model.configuration.modelTable, to: output)
    }
    log.info(
      "wrote \(what) of \(reader.url.path) (\(reader.manifest.imagesSeen) images) to"
        + " \(options.output)")
  }
}
