import Collectives
import CommandSupport
import Configuration
import Diffusion
import ModelLoading
import RunData
import Sampling
import SystemSupport
import TensorCore

/// `diffit optimal-loss`: a network's loss on its training set beside the least loss of any network.
package enum OptimalLossJob {
  /// What is measured.
  package struct Options: Equatable, Sendable {
    let target: String
    let ema: String?
    let samples: Int
    let batch: Int
    let json: String?

    /// Checks the options.
    package init(
      target: String, ema: String? = nil, samples: Int = 512,
      batch: Int = ImageSampler.standardBatch, json: String? = nil
    ) throws(OptionError) {
      try require(
        (1...100_000).contains(samples), "--samples", samples, expected: "1 to 100000")
      try require(batch >= 1, "--batch", batch, expected: "1 or more")
      (self.target, self.ema, self.samples, self.batch, self.json) = (
        target, ema, samples, batch, json
      )
    }
  }

  /// Measures on all ranks; the first rank prints the table, or writes it where the options say so.
  package static func run(_ options: Options) throws {
    try Job.run(json: options.json) { communicator, log in
      let loaded = try LoadedModel.find(
        options.target, ema: options.ema, over: communicator, log: log)
      let context = try communicator.agreedContext()
      let edm = try communicator.agree { try Self.formulation(of: loaded) }
      let model = try communicator.agree { try loaded.model(on: context) }
      var stored = loaded.configuration
      stored.data.flip = false
      let examples = try stored.examples(over: communicator)
      try communicator.agree {
        let (found, most) = (examples.count, OptimalLoss.largestSet)
        if found > most {
          throw OptimalLossError.largeSet(
            path: loaded.configuration.data.summary, found: found, expected: most)
        }
      }
      var line = ProgressLine(
        communicator.title("training set"), of: examples.count, startedAt: MonotonicClock.now)
      let loss = try OptimalLoss.measure(
        model, edm, on: examples, mirrors: loaded.configuration.data.flip,
        count: min(options.samples, examples.count), batch: options.batch, context: context,
        over: communicator
      ) { done, _ in log.progress(&line, done: done) }
      log.endProgress()
      try communicator.agree {
        guard communicator.rank == 0 else { return }
        if options.json != "-" { try StandardStreams.printLine(loss.text) }
        if let path = options.json { try writeJSON(loss, to: path) }
      }
    }
  }

  /// Throws where the best denoiser has no closed form over the images as they are stored.
  private static func formulation(of loaded: LoadedModel) throws -> EDM {
    let configuration = loaded.configuration
    func refuse(_ key: String, _ found: String, _ expected: String) -> OptimalLossError {
      .noClosedForm(checkpoint: loaded.path, key: key, found: found, expected: expected)
    }
    if configuration.model.kind != .image {
      throw refuse("model.kind", configuration.model.kind.rawValue, "image")
    }
    if configuration.data.augment > 0 {
      throw refuse("data.augment", "\(configuration.data.augment)", "0")
    }
    guard let edm = configuration.diffusion.formulation as? EDM else {
      throw refuse("diffusion.kind", configuration.diffusion.kind.rawValue, "edm")
    }
    return edm
  }
}

/// Why the least loss is not computed. Each description is one line.
package enum OptimalLossError: Error, Equatable, Sendable {
  /// What the network was trained on is not the images as they are stored.
  case noClosedForm(checkpoint: String, key: String, found: String, expected: String)
  /// The set is too large.
  case largeSet(path: String, found: Int, expected: Int)
}

extension OptimalLossError: CustomStringConvertible, ExitCoded {
  package var description: String {
    switch self {
    case .noClosedForm(let checkpoint, let key, let found, let expected):
      "\(checkpoint): \(key) is \(found); expected \(expected): the least loss is known only for"
        + " images as they are stored; name another run"
    case .largeSet(let path, let found, let expected):
      "\(path): \(found) images; expected at most \(expected): every noisy image is compared with"
        + " all of them; name a run on a smaller set"
    }
  }

  /// 2: the command has to change.
  package var exitCode: Int32 { 2 }
}

extension OptimalLoss {
  /// A table by noise level, for people.
  package var text: String {
    var table = TextTable([
      .left(), .right("images"), .right("measured"), .right("least"), .right("above"),
    ])
    func number(_ value: Double) -> String { Format.decimal(value, 5) }
    for (own, least) in zip(measured.byNoiseLevel, optimal.byNoiseLevel) where own.images > 0 {
      let end = own.sigmaMax.isFinite ? "to \(own.sigmaMax)" : "and above"
      table.add([
        "sigma \(own.sigmaMin) \(end)", "\(own.images)", number(own.loss), number(least.loss),
        number(own.loss - least.loss),
      ])
    }
    table.add([
      "all", "\(measured.images)", number(measured.mean), number(optimal.mean),
      number(measured.mean - optimal.mean),
    ])
    return
      (["loss on \(measured.images) of \(set) training images, and the least that any network has:"]
      + table.lines).joined(separator: "\n")
  }
}
