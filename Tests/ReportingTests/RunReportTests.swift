import Foundation
import FoundationXML
import Reporting
import Testing

@Suite struct RunReportTests {
  /// Elements by name, with their attributes and the text in them.
  final class Reader: NSObject, XMLParserDelegate {
    var elements: [String: [[String: String]]] = [:]
    var text: [String: String] = [:]
    private var open: [String] = []

    func parser(
      _: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      elements[name, default: []].append(attributes)
      open.append(name)
    }
    func parser(_: XMLParser, foundCharacters characters: String) {
      for name in open { text[name, default: ""] += characters }
    }
    func parser(
      _: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) { open.removeLast() }
  }

  func parse(_ page: String) throws -> Reader {
    let reader = Reader()
    let parser = XMLParser(data: Data(page.utf8))
    parser.delegate = reader
    try #require(parser.parse(), "\(String(describing: parser.parserError))")
    return reader
  }

  @Test func pageOfOneRunHoldsEverything() throws {
    let run = try RunFixture()
    let page = try RunReport([RunHistory(path: run.path)]).html()
    let reader = try parse(page)
    let titles = try #require(reader.text["figcaption"])
    for title in [
      "Loss", "Loss by noise level", "Learning rate", "Gradient norm", "Speed, images/s",
      "Time of the first rank, %", "Communication per tick, s", "Step time of ranks, s",
      "Peak memory of a rank, GiB", "fd_random",
    ] { #expect(titles.contains(title)) }
    let images = try #require(reader.elements["img"])
    #expect(images.count == 4)
    #expect(images.allSatisfy { $0["src"]?.hasPrefix("data:image/png;base64,iVBOR") == true })
    #expect(images.filter { $0["hidden"] == nil }.count == 2)
    #expect(try #require(reader.text["dl"]).contains("done"))
    #expect(try #require(reader.text["pre"]).contains("wide & deep"))
    #expect(try #require(reader.text["table"]).contains("rank 1 is slow"))
  }

  @Test func pageHasNothingFromElsewhere() throws {
    let run = try RunFixture()
    let page = try RunReport([RunHistory(path: run.path)]).html()
    #expect(!page.contains("http://") && !page.contains("https://"))
    let reader = try parse(page)
    #expect(reader.elements["link"] == nil)
    #expect(reader.elements["script"]?.allSatisfy { $0["src"] == nil } == true)
  }

  @Test func onlyARunningPageLoadsItselfAgain() throws {
    let run = try RunFixture()
    let history = try RunHistory(path: run.path)
    let done = try parse(RunReport([history]).html())
    #expect(done.elements["body"]?.first?["class"] == nil)
    let running = try parse(RunReport([history]).html(status: .running))
    #expect(running.elements["body"]?.first?["class"] == "running")
    #expect(running.elements["meta"]?.contains { $0["http-equiv"] == "refresh" } == true)
  }

  @Test func severalRunsShareCharts() throws {
    let (one, two) = (try RunFixture(), try RunFixture(rows: 5))
    let reader = try parse(
      RunReport([RunHistory(path: one.path), RunHistory(path: two.path)]).html())
    let points = reader.elements["svg"]?.first?["data-points"] ?? ""
    #expect(points.contains("\"\(one.scratch.url.lastPathComponent): training\""))
    #expect(points.contains("\"\(two.scratch.url.lastPathComponent): training\""))
    #expect(reader.elements["img"]?.count == 8)
  }

  @Test func aRunWithoutTicksHasAPage() throws {
    let run = try RunFixture(rows: 0, end: nil)
    let reader = try parse(RunReport([RunHistory(path: run.path)]).html())
    #expect(try #require(reader.text["main"]).contains("No tick has been written yet."))
  }

  @Test func aLongRunStaysSmall() throws {
    let run = try RunFixture(rows: 20_000)
    let page = try RunReport([RunHistory(path: run.path)]).html()
    #expect(page.utf8.count < 600_000)
    _ = try parse(page)
  }
}
