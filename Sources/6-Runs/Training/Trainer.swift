import Autodiff
import Collectives
import Configuration
import Datasets
import DiffiTModels
import Diffusion
import Evaluation
import Optimization
import TensorCore

/// One rank's share of a training run: replicas of the networks with their optimisers and averages.
///
/// All ranks hold the same weights; each works on its part of every global batch, and gradients are
/// added up over the ranks. For given ranks, instruction set and micro-batch, the state after a step
/// is a function of the settings and of the images seen. `Trainer+Step.swift` is the data path.
package final class Trainer {
  package let configuration: Configuration
  let communicator: any Communicator
  package let context: ComputeContext
  package let task: any TrainingTask
  /// A replica a set of parameters of the objective.
  let replicas: [TrainState]
  let learningRate: LearningRate
  /// Images of all ranks since the run began: the run's clock.
  package var imagesSeen = 0
  /// Updates left out because something was not finite.
  var skippedUpdates = 0
  package var statistics: LossAccumulator
  package let clock: PhaseClock
  /// For tests.
  package var fault: FaultPoint?
  /// Gives this rank's part of the next global batch.
  package let source: () throws -> Batch

  package var seed: UInt64 { UInt64(configuration.train.seed) }
  /// The replica of the model itself.
  package var model: TrainState { replicas[0] }
  package var parameters: ParameterSet { model.parameters }

  /// - Parameters:
  ///   - configuration: with `threads` and `micro_batch` chosen.
  ///   - objective: nil: that of the configuration, without a perceptual term.
  package init(
    _ configuration: Configuration, over communicator: any Communicator, on context: ComputeContext,
    task given: (any TrainingTask)?, source: @escaping () throws -> Batch
  ) {
    invariant(configuration.train.microBatch > 0, "Trainer: micro_batch is not chosen yet")
    self.configuration = configuration
    self.communicator = communicator
    clock = PhaseClock(communicator.activity)
    self.context = context
    self.source = source
    let task = given ?? configuration.task()
    self.task = task
    replicas = task.sets.enumerated().map { index, set in
      TrainState(
        set, configuration, lossScale: task.lossScale, hasAverages: index == 0,
        over: communicator, on: context)
    }
    statistics = LossAccumulator(
      shards: replicas[0].reducer.method.localShards, columns: task.columns)
    learningRate = LearningRate(
      peak: configuration.optimizer.lr, warmup: configuration.optimizer.warmup)
  }
}

extension Trainer {
  package convenience init(
    _ configuration: Configuration, over communicator: any Communicator, on context: ComputeContext,
    source: @escaping () throws -> Batch
  ) {
    self.init(configuration, over: communicator, on: context, task: nil, source: source)
  }
}

extension Configuration {
  /// What the configuration's run minimises, declared; it takes no memory yet.
  ///
  /// - Parameter perceptual: of an autoencoder, its weights read.
  package func task(perceptual: PerceptualDistance? = nil) -> any TrainingTask {
    model.kind == .vae
      ? AutoencoderTask(self, perceptual: perceptual) : DiffusionTask(self)
  }
}
