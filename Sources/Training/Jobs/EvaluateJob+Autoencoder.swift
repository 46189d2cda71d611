import Checkpoints
import Collectives
import Datasets
import DiffiTModels
import TensorCore

/// `diffit evaluate RUN --metrics psnr`: how well an autoencoder gives held-out images back.
struct AutoencoderEvaluation {
  let options: EvaluateOptions
  let engine: Engine
  let communicator: any Communicator
  let log: RunLog

  /// Collective; the same report on every rank.
  func run() throws -> EvaluationReport {
    try communicator.agree {
      guard CheckpointReader.isCheckpointOrRun(options.target) else {
        throw TrainingError.notAnAutoencoder(path: options.target)
      }
    }
    let restored = try RestoredModel.find(
      options.target, ema: options.drawing.ema, over: communicator, log: log)
    let (vae, dataset) = try communicator.agree {
      (
        try restored.autoencoder(on: engine),
        try restored.configuration.heldOutDataset(path: options.heldOut)
      )
    }
    let count = min(options.samples ?? dataset.count, dataset.count)
    let own = communicator.share(of: count).count
    var line = ProgressLine(
      communicator.title("held-out images"), of: own, startedAt: PhaseClock.now)
    let psnr = try ReconstructionQuality.measure(
      vae, on: dataset, count: count, batch: options.drawing.batch, engine: engine,
      over: communicator
    ) { log.progress(&line, done: $0) }
    log.endProgress()
    var report = EvaluationReport(source: options.target, samples: count, repeats: 1)
    report.note(MetricSelection.psnr, [psnr])
    return report
  }
}
