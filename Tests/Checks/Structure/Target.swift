import Foundation

/// A target with its files.
struct Target {
  let description: PackageDescription.Target
  /// The name of the folder that stands for its floor, such as `3-Models`, and the number in it;
  /// nil for targets that are not in a folder `Sources/N-Floor`.
  let floor: Int?
  private(set) var swift: [SwiftFile] = []
  /// Names of the headers that its C files include.
  private(set) var includes: Set<String> = []
  /// Names of the headers that other targets can include.
  private(set) var headers: Set<String> = []

  var name: String { description.name }
  var lines: Int { swift.reduce(0) { $0 + $1.lines } }

  /// Modules that its Swift files import, with a file that does.
  var imports: [String: String] {
    var imports: [String: String] = [:]
    for file in swift.reversed() {
      for name in file.imports { imports[name] = file.path }
    }
    return imports
  }

  /// - Parameter files: every file of the package, relative to it.
  init(_ description: PackageDescription.Target, files: [String], in package: URL) throws {
    self.description = description
    let parts = description.folder.split(separator: "/")
    floor =
      parts.count == 3 && parts[0] == "Sources"
      ? parts[1].split(separator: "-").first.flatMap { Int($0) } : nil
    let excluded = (description.exclude ?? []).map { "\(description.folder)/\($0)" }
    for path in files where path.hasPrefix(description.folder + "/") {
      if path.hasSuffix(".h"), path.hasPrefix(description.folder + "/include/") {
        headers.insert(String(path.split(separator: "/").last ?? ""))
      }
      let isExcluded = excluded.contains { path == $0 || path.hasPrefix($0 + "/") }
      let text = try String(contentsOf: package.appendingPathComponent(path), encoding: .utf8)
      if path.hasSuffix(".swift"), !isExcluded {
        swift.append(SwiftFile(path: path, text: text))
      } else if path.hasSuffix(".c") || path.hasSuffix(".h") {
        includes.formUnion(Target.includes(of: text))
      }
    }
  }

  /// Last parts of the paths in `#include "a/b.h"` and `#include <b.h>`.
  private static func includes(of text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(whereSeparator: { " \t\"<>".contains($0) })
      guard words.count >= 2, words[0] == "#include" else { return nil }
      return words[1].split(separator: "/").last.map(String.init)
    }
  }
}
