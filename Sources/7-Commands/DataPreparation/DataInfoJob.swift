import CommandSupport
import Datasets
import FileFormats
import Images
import Synchronization
import SystemSupport
import TensorCore

/// `diffit data info`: what a data set holds, and what is wrong with it.
package enum DataInfoJob {
  /// Prints the facts of a data set; fails where images are broken.
  package static func run(_ options: DataInfoOptions) throws {
    guard ProcessRank.isFirst else { return }
    let log = RunLog(output: options.json == "-" ? 2 : 1)
    let source = try ImageSource(path: options.source)
    let report = try report(source, options, log)
    log.list(report.brokenImages)
    if options.json != "-" { try StandardStreams.printLine(report.text) }
    if let path = options.json { try writeJSON(report, to: path) }
    if report.broken > 0 {
      throw PreparationError.brokenImages(
        source: options.source, broken: report.broken, images: source.count)
    }
  }

  private static func report(
    _ source: ImageSource, _ options: DataInfoOptions, _ log: RunLog
  ) throws -> DataReport {
    var line = ProgressLine("reading", of: source.count, startedAt: MonotonicClock.now)
    let sizes = Mutex([ImageSize?](repeating: nil, count: source.count))
    let threads = try ThreadPool(threadCount: ThreadPool.availableCores)
    let work = ParallelImageWork(images: source.images, threads: threads)
    let all = Array(0..<source.count)
    let broken = try work.run(all) {
      log.progress(&line, done: $0)
    } on: { index in
      let size =
        options.decodes
        ? try source.images.image(index).size : try source.images.size(of: index)
      sizes.withLock { $0[index] = size }
    }
    log.endProgress()
    var counts = [Int](repeating: 0, count: source.classNames.count)
    for index in 0..<source.count {
      if let label = try source.label(of: index) { counts[label] += 1 }
    }
    let found = sizes.withLock { $0.compactMap(\.self) }
    return DataReport(
      source: options.source, kind: source.kind, images: source.count,
      leftOut: source.leftOut.counts, leftOutText: source.leftOut.text,
      classes: source.classNames.count, classNames: source.classNames.map(FileName.visible),
      classSizes: counts,
      width: DataReport.Summary(found.map(\.width)),
      height: DataReport.Summary(found.map(\.height)),
      digest: try source.contentDigest(), broken: broken.count, brokenImages: broken)
  }
}

/// The result of `data info`, as JSON and as text.
struct DataReport: Encodable {
  /// The range of a number that each image or class has.
  struct Summary: Encodable {
    let min: Int
    let median: Int
    let max: Int

    /// Nil where there are no values.
    init?(_ values: [Int]) {
      let sorted = values.sorted()
      guard let first = sorted.first, let last = sorted.last else { return nil }
      (min, median, max) = (first, sorted[sorted.count / 2], last)
    }

    var text: String { min == max ? "\(min)" : "\(min) to \(max), median \(median)" }
  }

  let source: String
  let kind: String
  let images: Int
  /// Files beside the images that are not used, by kind.
  let leftOut: [String: Int]
  /// The same in words.
  let leftOutText: String
  /// Number of classes; 0: nothing is labelled.
  let classes: Int
  let classNames: [String]
  /// Images of each class.
  let classSizes: [Int]
  let width: Summary?
  let height: Summary?
  /// Fingerprint of names, labels and contents; nil where none is made.
  let digest: String?
  let broken: Int
  let brokenImages: [BrokenImage]

  enum CodingKeys: String, CodingKey {
    case source, kind, images, classes, width, height, digest, broken
    case leftOut = "left_out"
    case classNames = "class_names"
    case classSizes = "class_sizes"
    case brokenImages = "broken_images"
  }

  /// The names of the first classes; of many, how many more there are.
  private var namesText: String {
    if classNames.isEmpty { return "none" }
    let shown = classNames.prefix(12).joined(separator: ", ")
    return classNames.count > 12 ? "\(shown) and \(classNames.count - 12) more" : shown
  }

  var text: String {
    let sizes = Summary(classSizes).map { "\(classes), of \($0.text) images" } ?? "none"
    var table = TextTable([.left(width: 8), .left()])
    for (name, value) in [
      ("source", source), ("kind", kind), ("images", "\(images)"),
      ("left out", leftOutText.isEmpty ? "none" : leftOutText), ("classes", sizes),
      ("names", namesText),
      ("width", width?.text ?? "unknown"), ("height", height?.text ?? "unknown"),
      ("digest", digest ?? "none"), ("broken", broken == 0 ? "none" : "\(broken)"),
    ] {
      table.add([name, value])
    }
    return table.lines.joined(separator: "\n")
  }
}
