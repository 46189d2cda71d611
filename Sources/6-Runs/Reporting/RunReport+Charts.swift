import Foundation
import SystemSupport

extension RunReport {
  /// The charts, in the order of the page; those without data are left out.
  var charts: [Chart] {
    let all =
      [lossChart] + [
        levelChart, chart("Learning rate") { $0.learningRate },
        chart("Gradient norm", allowsLogarithm: true) { $0.gradientNorm },
        chart("Speed", unit: "images/s", fromZero: true) { $0.imagesPerSecond }, phaseChart,
        communicationChart, rankChart,
        chart(
          "Peak memory of a rank", unit: "GiB", fromZero: true,
          { $0.peakMemory / Double(1 << 30) }),
      ] + metricCharts
    return all.filter { !$0.isEmpty }
  }

  /// One line per run.
  private func chart(
    _ title: String, unit: String = "", fromZero: Bool = false, allowsLogarithm: Bool = false,
    _ value: (RunTick) -> Double
  ) -> Chart {
    let series = runs.enumerated().map { index, run in
      ChartSeries(
        name: run.name, color: index,
        points: run.ticks.map { (Double($0.images), value($0)) })
    }
    return Chart(
      title: title, unit: unit, series: series, marks: marks, fromZero: fromZero,
      allowsLogarithm: allowsLogarithm)
  }

  /// What a line of a run is called: with several runs, the run's name comes first.
  private func name(_ what: String, of run: RunHistory) -> String {
    runs.count == 1 ? what : "\(run.name): \(what)"
  }

  private var lossChart: Chart {
    var series: [ChartSeries] = []
    for run in runs {
      series.append(
        ChartSeries(
          name: name("training", of: run), color: series.count,
          points: run.ticks.map { (Double($0.images), $0.loss) }))
      let heldOut = run.measurements.compactMap { row in
        row.values["loss"].map { (x: Double(row.images), y: $0) }
      }
      if !heldOut.isEmpty {
        series.append(
          ChartSeries(
            name: name("held out", of: run), color: series.count, isDashed: true, points: heldOut))
      }
    }
    return Chart(title: "Loss", series: series, marks: marks, allowsLogarithm: true)
  }

  /// The loss by noise level over time; with several runs, of the first only.
  private var levelChart: Chart {
    guard let run = runs.first, let names = run.ticks.last?.levels.map(\.name) else {
      return Chart(title: "Loss by noise level", series: [])
    }
    let series = names.enumerated().map { index, name in
      ChartSeries(
        name: name, color: index,
        points: run.ticks.map { tick in
          (Double(tick.images), tick.levels.first { $0.name == name }?.loss ?? .nan)
        })
    }
    let title = runs.count == 1 ? "Loss by noise level" : "Loss by noise level of \(run.name)"
    return Chart(title: title, series: series, marks: marks, allowsLogarithm: true)
  }

  /// Where the first rank's time goes, in parts of a tick; with several runs, of the first only.
  private var phaseChart: Chart {
    let phases = [
      ("data", "waiting for data"), ("forward", "forward"), ("backward", "backward"),
      ("exposed_comm", "waiting for ranks"), ("optimizer", "optimiser"),
    ]
    guard let run = runs.first else { return Chart(title: "Time", series: []) }
    let series = phases.enumerated().map { index, phase in
      ChartSeries(
        name: phase.1, color: index,
        points: run.ticks.map { tick in
          let total = phases.reduce(0) { $0 + (tick.seconds[$1.0] ?? 0) }
          return (Double(tick.images), 100 * (tick.seconds[phase.0] ?? .nan) / max(total, 1e-9))
        })
    }
    let title = runs.count == 1 ? "Time of the first rank" : "Time of the first rank of \(run.name)"
    return Chart(title: title, unit: "%", series: series, marks: marks, fromZero: true)
  }

  private var communicationChart: Chart {
    var series: [ChartSeries] = []
    for run in runs where run.ticks.contains(where: { ($0.seconds["hidden_comm"] ?? 0) > 0 }) {
      for (key, what) in [("hidden_comm", "hidden"), ("exposed_comm", "exposed")] {
        series.append(
          ChartSeries(
            name: name(what, of: run), color: series.count,
            points: run.ticks.map { (Double($0.images), $0.seconds[key] ?? .nan) }))
      }
    }
    return Chart(
      title: "Communication per tick", unit: "s", series: series, marks: marks, fromZero: true)
  }

  private var rankChart: Chart {
    var series: [ChartSeries] = []
    for run in runs where run.ticks.contains(where: { $0.rankSeconds.max > $0.rankSeconds.min }) {
      for (what, value) in [
        ("slowest rank", { (tick: RunTick) in tick.rankSeconds.max }),
        ("median rank", { $0.rankSeconds.median }), ("fastest rank", { $0.rankSeconds.min }),
      ] {
        series.append(
          ChartSeries(
            name: name(what, of: run), color: series.count,
            points: run.ticks.map { (Double($0.images), value($0)) }))
      }
    }
    return Chart(title: "Step time of ranks", unit: "s", series: series, marks: marks)
  }

  /// One chart per metric; the held-out loss is in the chart of the loss.
  private var metricCharts: [Chart] {
    let names = Set(runs.flatMap { $0.measurements.flatMap(\.values.keys) }).subtracting(["loss"])
    return names.sorted().map { name in
      let series = runs.enumerated().map { index, run in
        ChartSeries(
          name: run.name, color: index,
          points: run.measurements.compactMap { row in
            row.values[name].map { (Double(row.images), $0) }
          })
      }
      return Chart(title: name, series: series, marks: marks, allowsLogarithm: true)
    }
  }

  /// Checkpoints, starts and ends; only where there is one run, so that they can be told apart.
  private var marks: [ChartMark] {
    guard runs.count == 1, let run = runs.first else { return [] }
    let checkpoints = run.checkpoints.map {
      ChartMark(kind: .checkpoint, x: Double($0), text: "checkpoint at \(Format.count($0)) images")
    }
    let events = run.events.compactMap { event -> ChartMark? in
      let kind: ChartMark.Kind
      switch event.kind {
      case .started: kind = .start
      case .stopped, .done: kind = .end
      case .failed: kind = .failure
      case .warning: return nil
      }
      guard let images = event.images, images > 0 else { return nil }
      return ChartMark(kind: kind, x: Double(images), text: "\(event.time): \(event.text)")
    }
    return checkpoints + events
  }
}
