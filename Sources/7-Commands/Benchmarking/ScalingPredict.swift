import CommandSupport
import Configuration
import Foundation
import SystemSupport

/// `diffit scaling predict`.
package struct ScalingPredictOptions: Equatable, Sendable {
  /// Files of `scaling measure`. The first tells how fast a rank is, all of them how fast sums are.
  package let files: [String]
  /// Numbers of ranks to predict, ascending, each once.
  package let ranks: [Int]
  /// Nil, without overrides: the measured network.
  package let config: String?
  /// `KEY=VALUE` texts, in order.
  package let overrides: [String]
  /// Images per rank for weak scaling. Nil: as measured.
  package let batch: Int?
  /// Images over all ranks for strong scaling. Nil: `train.batch`.
  package let globalBatch: Int?
  /// 10^9 bits per second that a link carries. Nil: as fitted.
  package let linkGbps: Double?
  /// Microseconds per message. Nil: as fitted.
  package let latencyUs: Double?
  /// Share of the last micro-batch's backward in which messages may travel.
  package let hiddenShare: Double
  /// Smaller sums are left out of the fit.
  package let fromBytes: Int
  /// A file for the results; `-`: standard output; nil: none.
  package let json: String?

  /// 1, 2, 4 and so on up to 1024.
  package static let defaultRanks = (0...10).map { 1 << $0 }

  /// Checks the options' ranges.
  package init(
    files: [String], ranks: [Int] = defaultRanks, config: String? = nil, overrides: [String] = [],
    batch: Int? = nil, globalBatch: Int? = nil, linkGbps: Double? = nil, latencyUs: Double? = nil,
    hiddenShare: Double = 1, fromBytes: Int = 0, json: String? = nil
  ) throws(OptionError) {
    func require(_ holds: Bool, _ option: String, _ found: some Any, _ expected: String)
      throws(OptionError)
    { if !holds { throw OptionError(option: option, found: "\(found)", expected: expected) } }
    let limit = 1 << 30
    try require(
      !ranks.isEmpty && ranks.allSatisfy { $0 >= 1 && $0 <= limit }, "--ranks",
      ranks.map(String.init).joined(separator: ","), "numbers from 1 to \(limit)")
    for (option, value) in [("--batch", batch), ("--global-batch", globalBatch)] {
      try require((1...limit).contains(value ?? 1), option, value ?? 1, "1 to \(limit)")
    }
    try require(linkGbps ?? 1 > 0 && linkGbps ?? 1 < 1e9, "--link-gbps", linkGbps ?? 1, "above 0")
    try require(
      latencyUs ?? 0 >= 0 && latencyUs ?? 0 < 1e9, "--latency-us", latencyUs ?? 0, "0 or more")
    try require(hiddenShare >= 0 && hiddenShare <= 1, "--hidden-share", hiddenShare, "0 to 1")
    try require(fromBytes >= 0, "--from-bytes", fromBytes, "0 or more")
    (self.files, self.config, self.overrides) = (files, config, overrides)
    self.ranks = Set(ranks).sorted()
    (self.batch, self.globalBatch) = (batch, globalBatch)
    (self.linkGbps, self.latencyUs) = (linkGbps, latencyUs)
    (self.hiddenShare, self.fromBytes, self.json) = (hiddenShare, fromBytes, json)
  }
}

/// Fits messages and steps to measurements, and says what to expect of more ranks.
package enum ScalingPredict {
  /// Fits, predicts and reports; only the first process does anything.
  package static func run(_ options: ScalingPredictOptions) throws {
    guard ProcessRank.isFirst else { return }
    let asked = options.config != nil || !options.overrides.isEmpty
    let configuration =
      try asked ? Configuration(file: options.config, overrides: options.overrides) : nil
    var measurements: [ScalingMeasurement] = []
    for file in options.files { measurements.append(try ScalingMeasurement(file: file)) }
    let report = try ScalingReport(measurements, options, configuration)
    if options.json != "-" { try StandardStreams.printLine(report.text) }
    if let path = options.json { try writeJSON(report, to: path) }
  }
}

/// What `diffit scaling predict` found.
package struct ScalingReport: Encodable, Sendable {
  /// Of the measured sums; nil where none were.
  package struct Fit: Codable, Equatable, Sendable {
    /// The ring that fits best.
    package let model: RingModel
    /// Number of sums that the fit knows.
    package let points: Int
    /// Numbers of ranks on which they were timed, ascending.
    package let ranks: [Int]
    /// Median of |predicted - measured| / measured.
    package let medianError: Double
    /// The largest |predicted - measured| / measured.
    package let maxError: Double

    enum CodingKeys: String, CodingKey {
      case model, points, ranks
      case medianError = "median_error"
      case maxError = "max_error"
    }
  }

  /// A rank's time for a step without messages; see `ScalingModel`.
  package struct Compute: Codable, Equatable, Sendable {
    /// Seconds of forward and backward per image.
    package let secondsPerImage: Double
    /// Seconds per step that do not depend on the batch: optimizer and averages.
    package let secondsPerStep: Double
    /// Share of `secondsPerImage` that is backward.
    package let backwardShare: Double
    /// Images that a rank computes at once.
    package let microBatch: Int
    /// Share of the last micro-batch's backward in which messages may travel.
    package let hiddenShare: Double

    enum CodingKeys: String, CodingKey {
      case secondsPerImage = "seconds_per_image"
      case secondsPerStep = "seconds_per_step"
      case backwardShare = "backward_share"
      case microBatch = "micro_batch"
      case hiddenShare = "hidden_share"
    }
  }

  /// The files that were read.
  package let files: [String]
  /// The fit to the measured sums; nil where none were measured.
  package let fit: Fit?
  /// Errors at points that were kept from the fit.
  package let validation: [ScalingValidation]
  /// Measured steps beside predicted ones.
  package let steps: [ScalingStepCheck]
  /// What is predicted with.
  package let ring: RingModel
  /// The time of a step without messages.
  package let compute: Compute
  /// The network that the predictions are for.
  package let network: ScalingMeasurement.Network
  /// What the predictions take for granted, one sentence each.
  package let assumptions: [String]
  /// Weak scaling: the same number of images on each rank.
  package let weak: [ScalingRow]
  /// Strong scaling: the same number of images over all ranks.
  package let strong: [ScalingRow]

  /// - Parameters:
  ///   - measurements: at least one.
  ///   - configuration: another network than the measured one.
  package init(
    _ measurements: [ScalingMeasurement], _ options: ScalingPredictOptions,
    _ configuration: Configuration?
  ) throws {
    guard let first = measurements.first else { throw ScalingError.nothingToFit }
    let points = measurements.flatMap { measured in
      measured.points.filter { $0.bytes >= options.fromBytes }.map {
        ScalingPoint(ranks: measured.ranks, bytes: $0.bytes, seconds: $0.seconds)
      }
    }
    let fitted = RingModel(fitting: points)
    guard var ring = fitted ?? options.statedLink else { throw ScalingError.nothingToFit }
    if let rate = options.linkGbps { ring.linkSecondsPerByte = 8e-9 / rate }
    if let latency = options.latencyUs { ring.latency = latency * 1e-6 }
    fit = fitted.map { model in
      let errors = TimingSummary(of: model.relativeErrors(at: points))
      return Fit(
        model: model, points: points.count, ranks: Set(points.map(\.ranks)).sorted(),
        medianError: errors.median, maxError: errors.max)
    }
    validation = ScalingValidation.all(points)
    steps = measurements.compactMap { measured in
      fitted.flatMap {
        ScalingStepCheck(measured, ring: $0, hiddenShare: options.hiddenShare)
      }
    }
    network = configuration.map { ScalingMeasurement.Network($0) } ?? first.network
    let model = ScalingModel(
      first, network: network, bucketMB: configuration?.parallel.bucketMB,
      hiddenShare: options.hiddenShare, ring: ring)
    let batch = options.batch ?? first.batch
    let global = options.globalBatch ?? configuration?.train.batch ?? first.globalBatch
    compute = Compute(
      secondsPerImage: model.secondsPerImage, secondsPerStep: model.secondsPerStep,
      backwardShare: model.backwardShare, microBatch: model.microBatch,
      hiddenShare: model.hiddenShare)
    weak = model.weak(batch: batch, ranks: options.ranks)
    strong = model.strong(batch: global, ranks: options.ranks)
    (self.files, self.ring) = (options.files, ring)
    assumptions = ScalingReport.assumptions(
      first, model, options, isFitted: fitted != nil,
      counts: Set(points.map(\.ranks)).count, sameNetwork: network == first.network)
  }
}

extension ScalingPredictOptions {
  /// A ring of which everything is stated, for measurements without sums.
  fileprivate var statedLink: RingModel? {
    guard linkGbps != nil, latencyUs != nil else { return nil }
    return RingModel(latency: 0, linkSecondsPerByte: 0, ownSecondsPerByte: 0)
  }
}
