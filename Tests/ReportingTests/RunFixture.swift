import FixtureSupport
import Foundation
import Reporting

/// A run directory as training leaves it, made by hand.
struct RunFixture {
  let scratch: TemporaryFolder
  var path: String { scratch.url.path }

  /// - Parameters:
  ///   - rows: ticks of a thousand images each.
  ///   - end: the last line of the log, after its time.
  init(rows: Int = 20, end: String? = "info  images=20000 done: 20000 images; here is the run")
    throws
  {
    scratch = try TemporaryFolder()
    try scratch.write("sample:\n  count: 7\ntrain:\n  images: 40000\n  batch: 10\n", "config.yaml")
    var text = ""
    for row in 1...max(rows, 1) { text += Self.row(1000 * row, loss: 1 / Double(row)) }
    text += #"{"images":20000,"metrics":{"fd_random":0.25,"loss":0.5},"weights":"ema.ema","#
    text += #""metrics_samples":100}"# + "\n"
    try scratch.write(rows == 0 ? "" : text, "stats.jsonl")
    var log = "2026-01-02T03:04:05Z info  DiffiT <image>: 12 parameters, wide & deep\n"
    log += "2026-01-02T03:04:05Z info  ranks: 2 x 1 thread\n"
    log += "2026-01-02T03:04:06Z info  run directory: \(path)\n"
    log += "2026-01-02T03:05:06Z warning images=3000 rank 1 is slow\n"
    if let end { log += "2026-01-02T03:06:06Z \(end)\n" }
    try scratch.write(log, "log.txt")
    try scratch.makeFolder("samples")
    for images in [1000, 2000] {
      for kind in ["raw", "ema"] {
        try scratch.write(
          ImageFixtures.png(UInt8(images / 100)), "samples/images-\(images)-\(kind).png")
      }
    }
    try scratch.write("not a grid", "samples/notes.txt")
  }

  static func row(_ images: Int, loss: Double) -> String {
    #"{"images":\#(images),"time":"2026-01-02T03:04:07Z","loss":\#(loss),"lr":0.001,"#
      + #""grad_norm":2.5,"images_per_second":100,"peak_rss":1073741824,"skipped":0,"#
      + #""seconds":{"data":1,"forward":2,"backward":5,"exposed_comm":1,"hidden_comm":0.5,"#
      + #""optimizer":1},"rank_step_seconds":{"min":0.1,"median":0.2,"max":0.3},"#
      + #""loss_by_noise_level":[{"sigma_min":0.1,"sigma_max":1,"images":5,"loss":0.3},"#
      + #"{"sigma_min":1,"sigma_max":null,"images":5,"loss":null}]}"# + "\n"
  }

  func append(_ text: String, to name: String) throws {
    let handle = try FileHandle(forWritingTo: scratch.file(name))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }
}
