import Autodiff
import Collectives
import Configuration
import Datasets
import Evaluation
import Optimization
import TensorCore

/// One rank's part of a training run: the networks with their optimisers and averages.
///
/// All ranks hold the same weights. Each works on its part of every global batch, and gradients are
/// added up over the ranks. For given ranks, instruction set and micro-batch, the state after a
/// step is a function of the settings and of the images seen. `Trainer+Step.swift` shows a step
/// from top to bottom.
///
///     let loader = DataLoader(samples, seed: 0, start: 0, globalBatch: 64, share: 0..<64)
///     let trainer = Trainer(
///       configuration, over: SingleCommunicator(), on: context, loader: loader)
///     while trainer.imagesSeen < configuration.train.images { try trainer.step() }
package final class Trainer {
  /// The run's settings, with `train.threads` and `train.micro_batch` chosen.
  package let configuration: Configuration
  let communicator: any Communicator
  /// Threads, memory pool and kernels of this rank.
  package let context: ComputeContext
  /// The networks, and how a micro-batch becomes gradients of their parameters.
  package let task: any TrainingTask
  /// One per set of parameters of the task, the model's first.
  let states: [TrainState]
  let learningRate: LearningRate
  /// Images of all ranks since the run began: the run's clock.
  package var imagesSeen = 0
  /// Updates that were left out because the loss or a gradient was not finite.
  var skips = SkippedUpdates()
  var skippedUpdates: Int { skips.total }
  /// Seconds of each phase of the steps.
  package let clock: PhaseClock
  /// The passes through the networks and the losses, as the task may use them.
  let stepContext: StepContext
  /// Called at named points of each step; nil: nothing is called.
  let hook: (any StepHook)?
  /// Gives this rank's part of the next global batch.
  package let loader: any BatchProvider

  /// The seed of all random streams of the run.
  package var seed: UInt64 { UInt64(configuration.train.seed) }
  /// The state of the model itself; another set of parameters may belong to a discriminator.
  package var model: TrainState { states[0] }
  /// The model's parameters.
  package var parameters: ParameterSet { model.parameters }
  /// Losses since the last tick, and the figures of the last step.
  package var statistics: LossAccumulator {
    get { stepContext.losses }
    set { stepContext.losses = newValue }
  }

  /// Takes memory for the state and draws the first weights.
  ///
  /// - Parameters:
  ///   - configuration: with `threads` and `micro_batch` chosen.
  ///   - task: nil: the configuration's, without a perceptual term.
  ///   - loader: this rank's part of one global batch after another.
  ///   - hook: called at named points of each step.
  package init(
    _ configuration: Configuration, over communicator: any Communicator, on context: ComputeContext,
    task given: (any TrainingTask)? = nil, loader: any BatchProvider,
    hook: (any StepHook)? = nil
  ) {
    invariant(configuration.train.microBatch > 0, "Trainer: micro_batch is not chosen yet")
    self.configuration = configuration
    self.communicator = communicator
    self.context = context
    (self.loader, self.hook) = (loader, hook)
    let task = given ?? configuration.task()
    self.task = task
    states = task.sets.enumerated().map { index, set in
      TrainState(
        set, configuration, lossScale: task.lossScale, hasAverages: index == 0,
        over: communicator, on: context)
    }
    clock = PhaseClock(communicator.activity)
    stepContext = StepContext(
      losses: LossAccumulator(
        shards: states[0].reducer.method.localShards, columns: task.columns),
      clock: clock, model: states[0])
    learningRate = configuration.optimizer.learningRate(images: configuration.train.images)
  }
}
