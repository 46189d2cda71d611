import Checkpoints
import Foundation

/// `diffit export`: the weights of a checkpoint as named tensors in PyTorch's layouts.
public enum Export {
  public static func run(_ options: ExportOptions) throws {
    guard ProcessRank.isFirst else { return }
    let (reader, passedOver) = try CheckpointReader.find(options.checkpoint)
    let log = RunLog()
    for passed in passedOver { log.warning("passed over: \(passed.reason.finding)") }
    let model = try RestoredModel(reader, ema: options.ema ?? "raw")
    try ModelFile.export(
      reader, vector: model.vector, to: URL(fileURLWithPath: options.output))
    log.info(
      "wrote \(model.vector) of \(reader.url.path) (\(reader.manifest.imagesSeen) images) to"
        + " \(options.output)")
  }
}
