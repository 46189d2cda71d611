import Foundation

/// Checks what the Markdown files of a repository point to.
struct Links {
  private let root: URL
  private let folders: Set<String>
  private var pages: [String: Page] = [:]
  private(set) var findings: [String] = []
  private(set) var linkCount = 0
  private(set) var pathCount = 0

  /// - Parameters:
  ///   - files: the Markdown files, relative to the repository.
  ///   - folders: the repository's folders at the top.
  init(root: URL, files: [String], folders: Set<String>) throws {
    (self.root, self.folders) = (root, folders)
    for file in files { pages[file] = Page(try text(file)) }
    for (file, page) in pages.sorted(by: { $0.key < $1.key }) {
      for link in page.links { check(link, in: file) }
      for word in page.words { checkPath(word, in: file) }
    }
  }

  private func text(_ file: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(file), encoding: .utf8)
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appendingPathComponent(path).path)
  }

  private mutating func fail(_ item: Page.Item, in file: String, _ reason: String) {
    findings.append("\(file):\(item.line): \(item.text): \(reason)")
  }

  private mutating func check(_ link: Page.Item, in file: String) {
    guard link.text.firstMatch(of: #/^[a-zA-Z][a-zA-Z0-9+.\-]*:/#) == nil else { return }
    linkCount += 1
    let parts = link.text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    guard let target = resolve(name.removingPercentEncoding ?? name, from: file) else {
      return fail(link, in: file, "it leads out of the repository")
    }
    guard exists(target) else { return fail(link, in: file, "there is no file \(target)") }
    guard parts.count == 2 else { return }
    let anchor = String(parts[1])
    if target.hasSuffix(".md") {
      if pages[target]?.anchors.contains(anchor.removingPercentEncoding ?? anchor) != true {
        fail(link, in: file, "\(target) has no heading #\(anchor)")
      }
    } else if let match = anchor.wholeMatch(of: #/L(\d+)(?:-L(\d+))?/#) {
      checkLine(Int(match.2 ?? match.1) ?? 0, of: target, link, in: file)
    }
  }

  /// A link's file, relative to the repository; nil where it leads out of it.
  private func resolve(_ name: String, from file: String) -> String? {
    if name.isEmpty { return file }
    var parts = name.hasPrefix("/") ? [] : file.split(separator: "/").dropLast().map(String.init)
    for part in name.split(separator: "/") {
      switch part {
      case ".": break
      case "..": if parts.popLast() == nil { return nil }
      default: parts.append(String(part))
      }
    }
    return parts.isEmpty ? "." : parts.joined(separator: "/")
  }

  /// `launch/local.sh` and `Sources/A/B.swift:12`, but not `configs/*.yaml` or `Tests/<Target>Tests`.
  private mutating func checkPath(_ word: Page.Item, in file: String) {
    guard
      let match = word.text.wholeMatch(
        of:
          #/(?:\./)?(([A-Za-z0-9_.+\-]+)/[A-Za-z0-9_.+\-/]*[A-Za-z0-9_+\-/])(?::(\d+).*)?[,;:.)]*/#),
      folders.contains(String(match.2)), !match.1.contains("...")
    else { return }
    pathCount += 1
    let path = String(match.1)
    guard exists(path) else {
      return fail(word, in: file, "the repository has no such file or folder")
    }
    if let line = match.3.flatMap({ Int($0) }) { checkLine(line, of: path, word, in: file) }
  }

  private mutating func checkLine(
    _ line: Int, of path: String, _ item: Page.Item, in file: String
  ) {
    let count = ((try? text(path)) ?? "").split(separator: "\n", omittingEmptySubsequences: false)
      .count
    if line > count { fail(item, in: file, "\(path) has fewer than \(line) lines") }
  }
}
