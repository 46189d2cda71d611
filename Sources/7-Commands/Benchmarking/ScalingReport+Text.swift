import CommandSupport
import SystemSupport

/// A report for people.
extension ScalingReport {
  /// What the predictions take for granted, one sentence each.
  package static func assumptions(
    _ measured: ScalingMeasurement, _ model: ScalingModel, _ options: ScalingPredictOptions,
    isFitted: Bool, counts: Int, sameNetwork: Bool
  ) -> [String] {
    let room = model.hiddenShare * model.backwardShare
    var lines = [
      "sums go round a ring: T = 2 (p-1) a + 2 (p-1)/p S/B + c S; small sums take fewer rounds in MPI"
        + " libraries, so that latency is counted high",
      "ranks of a host follow each other in the ring, and no two messages share a link",
      "every rank is as fast as the slowest of the \(measured.ranks) measured, with"
        + " \(Format.quantity(measured.threads, "thread")), kernels \(measured.kernels),"
        + " \(measured.precision); no stragglers, data, checkpoints or samples",
      "a step takes a constant time (optimizer, averages) and a constant time per image, whatever the"
        + " batch",
      "overlapped: all buckets but the last travel during \(Format.percent(model.hiddenShare, 0)) of"
        + " the last micro-batch's backward (\(Format.percent(room)) of its time) and slow it down"
        + " by nothing",
    ]
    if !sameNetwork {
      lines.append(
        "the network runs at the GFLOP/s of the measured one, its optimizer in proportion to its"
          + " parameters")
    }
    if let rate = options.linkGbps {
      lines.append("B is stated: \(Format.decimal(rate, 1)) Gb/s, all of it for payload")
    }
    if let latency = options.latencyUs {
      lines.append("a is stated: \(Format.decimal(latency, 1)) us")
    }
    if options.fromBytes > 0 {
      lines.append(
        "the fit knows sums of \(Format.bytes(options.fromBytes)) and more: a is what they show of it"
      )
    }
    if isFitted && counts < 2 {
      lines.append(
        "c is 0: one number of ranks cannot tell copies and additions inside a rank from the link"
          + (options.linkGbps == nil ? ", so B holds them" : ", and a stated link leaves them out"))
    }
    return lines
  }

  /// The report as the terminal shows it.
  package var text: String {
    var lines: [String] = []
    if let fit {
      lines += [
        "fit of \(fit.points) sums over \(fit.ranks.map(String.init).joined(separator: ", ")) ranks:"
          + " \(ScalingReport.summary(fit.model))",
        "  errors \(Format.percent(fit.medianError)) (median), \(Format.percent(fit.maxError)) (most)",
      ]
    }
    for check in validation {
      lines.append(
        "  held out \(check.heldOut): \(check.points) points, errors"
          + " \(Format.percent(check.medianError)) (median), \(Format.percent(check.maxError)) (most)"
          + (check.maxErrorFrom1MiB.map { ", \(Format.percent($0)) from 1 MiB on" } ?? ""))
    }
    for step in steps {
      lines.append(
        "  a step on \(step.ranks) ranks: measured \(Format.time(step.measuredSeconds)), predicted"
          + " \(Format.time(step.plainSeconds)), overlapped \(Format.time(step.overlappedSeconds))"
      )
    }
    lines += [
      "network: \(network.parameters) parameters, gradients"
        + " \(Format.bytes(4 * network.gradientElements)) per step;"
        + " \(Format.time(compute.secondsPerImage)) per image and"
        + " \(Format.time(compute.secondsPerStep)) per step; \(ScalingReport.summary(ring))",
      "assumed:",
    ]
    lines += assumptions.map { "  - \($0)" }
    let batch = weak.first.map(\.batchPerRank) ?? 0
    lines += ["", "weak scaling, \(Format.quantity(batch, "image")) per rank:"] + table(weak)
    lines += ["", "strong scaling, \(strong.first?.batch ?? 0) images over all ranks:"]
    lines +=
      strong.count == weak.count
      ? table(strong) : table(strong) + ["(more ranks than images are left out)"]
    return lines.joined(separator: "\n")
  }

  private static func summary(_ ring: RingModel) -> String {
    let rate = { (cost: Double) in cost > 0 ? "\(Format.decimal(1e-9 / cost, 2)) GB/s" : "no limit"
    }
    return "a \(Format.time(ring.latency)), B \(rate(ring.linkSecondsPerByte)),"
      + " 1/c \(rate(ring.ownSecondsPerByte))"
  }

  private func table(_ rows: [ScalingRow]) -> [String] {
    // Four columns of a step whose messages follow backward, and four of one whose messages overlap
    // it.
    let step: [TextTable.Column] = [
      .right("step", width: 8), .right("images/s", width: 9), .right("effic.", width: 7),
      .right("comm.", width: 7),
    ]
    var table = TextTable(
      [.right("ranks", width: 8), .right("per rank"), .right("all-reduce")] + step + step)
    for row in rows {
      table.add(
        ["\(row.ranks)", "\(row.batchPerRank)", Format.time(row.communicationSeconds)]
          + [row.plain, row.overlapped].flatMap { step in
            [
              Format.time(step.seconds), Format.decimal(step.imagesPerSecond, 1),
              Format.percent(step.efficiency), Format.percent(step.communicationShare),
            ]
          })
    }
    return ["(four columns with messages after backward, then four with messages during backward)"]
      + table.lines
  }
}
