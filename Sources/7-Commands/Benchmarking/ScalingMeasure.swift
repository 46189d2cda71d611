import Collectives
import CommandSupport
import Configuration
import Foundation
import Reporting
import SystemSupport
import TensorCore
import Training

/// `diffit scaling measure`.
package struct ScalingMeasureOptions: Equatable, Sendable {
  /// Nil: the defaults.
  package let config: String?
  /// `KEY=VALUE` texts, in order.
  package let overrides: [String]
  /// Images per rank and step.
  package let batch: Int
  /// Steps that are timed.
  package let steps: Int
  /// A file for the results; `-`: standard output.
  package let json: String

  /// Checks the options' ranges.
  package init(
    config: String? = nil, overrides: [String] = [], batch: Int = 32, steps: Int = 5, json: String
  ) throws(OptionError) {
    guard batch >= 1 && batch <= 1 << 20 else {
      throw OptionError(option: "--batch", found: "\(batch)", expected: "1 to \(1 << 20)")
    }
    guard steps >= 1 else {
      throw OptionError(option: "--steps", found: "\(steps)", expected: "1 or more")
    }
    (self.config, self.overrides, self.batch) = (config, overrides, batch)
    (self.steps, self.json) = (steps, json)
  }
}

/// Times training steps and sums on the ranks of a job, with images made up; needs no data.
package enum ScalingMeasure {
  /// Seconds that sums of all sizes may take.
  static let budget = 15.0
  /// 64 B to 64 MiB.
  package static let sizes = (3...13).map { 1 << (2 * $0) }

  /// Measures on all ranks and writes the file of the first one. Collective.
  package static func run(_ options: ScalingMeasureOptions) throws {
    try Job.run { communicator, _ in
      let configuration = try communicator.agree {
        try Configuration(file: options.config, overrides: options.overrides)
      }
      let measurement = try measure(
        configuration, batch: options.batch, steps: options.steps, over: communicator)
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        if options.json != "-" { try StandardStreams.printLine(measurement.text) }
        try writeJSON(measurement, to: options.json)
      }
    }
  }

  /// Collective; every rank gets the same figures but for its own name.
  package static func measure(
    _ given: Configuration, batch: Int, steps: Int, over communicator: any Communicator
  ) throws -> ScalingMeasurement {
    var configuration = given
    let (ranks, share) = (communicator.size, try CoreShare(of: communicator))
    if given.train.threads == 0 { configuration.train.threads = share.threads }
    let plan = ResourcePlan(given, ranks: ranks)
    let room = try plan.microBatch(
      share: batch, threads: configuration.train.threads,
      memory: availableMemory() / communicator.localSize)
    let asked = given.train.microBatch > 0 ? min(given.train.microBatch, batch) : room
    configuration.train.microBatch = Int(try communicator.reduce(Int64(asked), .min))
    let (threads, kernels) = (configuration.train.threads, try communicator.agreedKernels())
    let context = try communicator.agree {
      try ComputeContext(threadCount: threads, kernels: kernels)
    }

    configuration.train.batch = batch
    let alone = try medians(
      steps, Trainer.synthetic(configuration, on: context), over: communicator)
    configuration.train.batch = batch * ranks
    let together =
      ranks == 1
      ? nil
      : try medians(
        steps, Trainer.synthetic(configuration, over: communicator, on: context), over: communicator
      )
    context.memory.trim()

    let gradient = try AllReduceTiming.measure(communicator, sizes: [4 * plan.flatCount])
    return try ScalingMeasurement(
      build: Build.description(kernels: context.kernels.level), ranks: ranks,
      hosts: communicator.hosts(),
      threads: configuration.train.threads, kernels: "\(context.kernels.level)",
      precision: given.train.precision, mpi: communicator.library,
      network: ScalingMeasurement.Network(given), batch: batch,
      microBatch: configuration.train.microBatch, globalBatch: given.train.batch,
      bucketMB: given.parallel.bucketMB, steps: steps,
      alone: .init(
        seconds: alone.seconds, forward: alone.phases.forward, backward: alone.phases.backward,
        optimizer: alone.phases.optimizer),
      together: together.map {
        .init(
          seconds: $0.seconds, exposedCommunication: $0.phases.exposedComm,
          hiddenCommunication: $0.phases.hiddenComm)
      },
      gradient: gradient.first,
      allReduce: AllReduceTiming.measure(communicator, sizes: sizes, budget: budget))
  }

  /// A step on the clock.
  private struct StepTimes {
    let seconds: Double
    let phases: PhaseSeconds
  }

  /// Medians over steps; the largest of all ranks. Collective.
  private static func medians(
    _ steps: Int, _ trainer: Trainer, over communicator: any Communicator
  ) throws -> StepTimes {
    try trainer.step()  // fills the memory pool and the caches
    _ = trainer.lap()
    var times: [StepTimes] = []
    for _ in 0..<steps {
      try communicator.barrier()
      let seconds = try Benchmark.seconds(of: trainer.step)
      times.append(StepTimes(seconds: seconds, phases: trainer.lap()))
    }
    func median(_ time: (StepTimes) -> Double) throws -> Double {
      try communicator.reduce(TimingSummary(of: times.map(time)).median, .max)
    }
    return try StepTimes(
      seconds: median(\.seconds),
      phases: PhaseSeconds(
        data: median(\.phases.data), forward: median(\.phases.forward),
        backward: median(\.phases.backward), exposedComm: median(\.phases.exposedComm),
        hiddenComm: median(\.phases.hiddenComm), optimizer: median(\.phases.optimizer)))
  }
}

extension ScalingMeasurement.Network {
  /// The network that a configuration describes.
  package init(_ configuration: Configuration) {
    let plan = ResourcePlan(configuration, ranks: 1)
    self.init(
      parameters: plan.parameterCount, gradientElements: plan.flatCount,
      flopsPerImage: plan.flopsPerImage, channels: configuration.model.channels,
      blocks: configuration.model.image.blocks)
  }
}

extension ScalingMeasurement {
  /// For people.
  package var text: String {
    let time = Format.time
    var lines = [
      "\(Format.quantity(ranks, "rank")) on \(Format.quantity(Set(hosts).count, "host")),"
        + " \(Format.quantity(threads, "thread")) each, kernels \(kernels), \(precision)",
      "network   \(network.parameters) parameters, batch \(batch) per rank in micro-batches of"
        + " \(microBatch)",
      "alone     \(time(alone.seconds)) per step: forward \(time(alone.forward)), backward"
        + " \(time(alone.backward)), optimizer \(time(alone.optimizer))",
    ]
    if let together {
      lines.append(
        "together  \(time(together.seconds)) per step, exposed communication"
          + " \(time(together.exposedCommunication)),"
          + " hidden \(time(together.hiddenCommunication ?? 0)):"
          + " \(Format.percent(alone.seconds / together.seconds)) of the time is work")
    }
    if let gradient {
      lines.append(
        "gradient  \(Format.bytes(gradient.bytes)) summed in \(time(gradient.seconds))")
    }
    return (lines + AllReduceTiming.lines(allReduce, ranks: ranks)).joined(separator: "\n")
  }
}
