import Foundation
import SystemSupport

/// A page that shows one run, or several side by side: one HTML file without parts elsewhere.
///
/// The main facts, charts and the newest grid need no script. A script of the page itself shows
/// values under the pointer, moves through the grids, and loads the page again while a run goes on.
package struct RunReport {
  /// The runs, in the order of the page.
  let runs: [RunHistory]

  /// Grids that a page holds per run and kind, at most: the first, the last and some between.
  private static let gridLimit = 12

  /// A page of these runs; at least one.
  package init(_ runs: [RunHistory]) { self.runs = runs }

  /// The page.
  ///
  /// - Parameters:
  ///   - now: the time that the page is of.
  ///   - status: of the runs; nil: what their files say. The process that trains a run knows it.
  /// - Throws: where a run's settings or grids cannot be read.
  package func html(now: Date = Date(), status: RunStatus? = nil) throws -> String {
    let statuses = runs.map { status ?? $0.status }
    let title = runs.map(\.name).joined(separator: ", ")
    let isRunning = statuses.contains(.running)
    var page = """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <title>\(HTML.escaped(title)): DiffiT run</title>
      <style>\(ReportStyle.css)</style>
      \(isRunning ? "<noscript><meta http-equiv=\"refresh\" content=\"30\"/></noscript>" : "")
      </head><body\(isRunning ? " class=\"running\"" : "")>

      """
    page += "<header><h1>\(HTML.escaped(title))</h1>"
    page += "<p class=\"when\">As of \(Self.time(now)) UTC</p></header>\n<main>\n"
    for (run, status) in zip(runs, statuses) { page += summary(run, status, now) }
    page += "<section><h2>Course of training</h2><div class=\"charts\">\n"
    page += charts.map(\.html).joined()
    page += "</div>\(charts.isEmpty ? "<p>No tick has been written yet.</p>" : "")</section>\n"
    for run in runs { page += try grids(of: run) }
    for run in runs { page += course(of: run) }
    for run in runs { page += try details(of: run) }
    page += "</main>\n<script>//<![CDATA[\(ReportStyle.script)//]]></script>\n</body></html>\n"
    return page
  }

  private static func time(_ date: Date) -> String {
    WallClock.utc(Int(date.timeIntervalSince1970))
      .replacing("T", with: " ").replacing("Z", with: "")
  }

  /// The figures of one run that matter most.
  private func summary(_ run: RunHistory, _ status: RunStatus, _ now: Date) -> String {
    let last = run.ticks.last
    var facts: [(String, String)] = [("state", status.rawValue)]
    if let last {
      let target = run.target.map { " of \(Format.count($0))" } ?? ""
      facts.append(("images seen", Format.count(last.images) + target))
      facts.append(("loss", Chart.plain(last.loss)))
      facts.append(("speed", Format.rate(last.imagesPerSecond)))
    }
    if status == .running, let left = run.secondsLeft {
      facts.append(("time left", "about \(Format.duration(left))"))
    }
    if let measured = run.measurements.last {
      for (name, value) in measured.values.sorted(by: { $0.key < $1.key }) {
        facts.append((name == "loss" ? "held-out loss" : name, Chart.plain(value)))
      }
    }
    if let checkpoint = run.checkpoints.last {
      let age = run.secondsSinceCheckpoint(now: now).map { ", \(Format.duration($0)) ago" } ?? ""
      facts.append(
        ("newest checkpoint", Format.count(checkpoint) + (status == .running ? age : "")))
    }
    if let skipped = last?.skipped, skipped > 0 {
      facts.append(("updates skipped", "\(skipped)"))
    }
    if run.tornRows > 0 { facts.append(("torn rows in stats.jsonl", "\(run.tornRows)")) }
    let share = run.target.flatMap { target in last.map { Double($0.images) / Double(target) } }
    let heading = runs.count > 1 ? "<h2>\(HTML.escaped(run.name))</h2>" : ""
    return "<section class=\"summary \(status.rawValue)\">\(heading)<dl>"
      + facts.map {
        "<div><dt>\(HTML.escaped($0.0))</dt><dd>\(HTML.escaped($0.1))</dd></div>"
      }.joined() + "</dl>"
      + (share.map { "<progress max=\"1\" value=\"\(String(format: "%.4f", $0))\"></progress>" }
        ?? "") + "</section>\n"
  }

  /// The grids of one run over time, the newest first to be seen.
  private func grids(of run: RunHistory) throws -> String {
    guard !run.grids.isEmpty else { return "" }
    var part = "<section><h2>Samples\(runs.count > 1 ? " of \(HTML.escaped(run.name))" : "")</h2>"
    part += "<div class=\"grids\">\n"
    var kinds: [String] = []
    for grid in run.grids where !kinds.contains(grid.kind) { kinds.append(grid.kind) }
    // Averages before the weights themselves: they are what is used.
    for kind in kinds.sorted(by: { ($0 == "raw" ? 1 : 0, $0) < ($1 == "raw" ? 1 : 0, $1) }) {
      let all = run.grids.filter { $0.kind == kind }
      let count = min(all.count, Self.gridLimit)
      let chosen = (0..<count).map { all[count == 1 ? 0 : $0 * (all.count - 1) / (count - 1)] }
      part += "<figure class=\"grid\"><figcaption>\(kind == "raw" ? "weights" : HTML.escaped(kind))"
      part += ", <output>\(Format.count(chosen[count - 1].images)) images</output></figcaption>"
      for (index, grid) in chosen.enumerated() {
        let bytes = Data(try InputFile.contents(of: grid.path))
        part += "<img\(index == count - 1 ? "" : " hidden=\"hidden\"") alt=\"samples after"
        part += " \(grid.images) images\" data-label=\"\(Format.count(grid.images)) images\""
        part += " src=\"data:image/png;base64,\(bytes.base64EncodedString())\"/>"
      }
      if count > 1 {
        part += "<input type=\"range\" min=\"0\" max=\"\(count - 1)\" value=\"\(count - 1)\""
        part += " aria-label=\"images seen\"/>"
      }
      part += "</figure>\n"
    }
    return part + "</div></section>\n"
  }

  /// Starts, stops and warnings of one run.
  private func course(of run: RunHistory) -> String {
    guard !run.events.isEmpty else { return "" }
    let name = runs.count > 1 ? " of \(HTML.escaped(run.name))" : ""
    let rows = run.events.suffix(40).map { event in
      "<tr class=\"\(event.kind.rawValue)\"><td>\(HTML.escaped(event.time))</td>"
        + "<td>\(event.images.map(Format.count) ?? "")</td><td>\(event.kind.rawValue)</td>"
        + "<td>\(HTML.escaped(event.text))</td></tr>"
    }
    return "<section><h2>Events\(name)</h2><table><thead><tr><th>time, UTC</th><th>images</th>"
      + "<th>kind</th><th>text</th></tr></thead><tbody>\(rows.joined())</tbody></table></section>\n"
  }

  /// Settings, build and machine of one run.
  private func details(of run: RunHistory) throws -> String {
    let name = runs.count > 1 ? " of \(HTML.escaped(run.name))" : ""
    var part = "<section><details><summary>Settings\(name)</summary><pre>"
    part += HTML.escaped(try run.settings()) + "</pre></details>"
    let header = run.header
    if !header.isEmpty {
      part += "<details><summary>Build and machine\(name)</summary><pre>"
      part += HTML.escaped(header.joined(separator: "\n")) + "</pre></details>"
    }
    return part + "</section>\n"
  }
}
