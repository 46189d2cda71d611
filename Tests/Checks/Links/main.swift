import Foundation

// Called by links.sh: ROOT, and on standard input the repository's files.

var files: [String] = []
while let line = readLine() { files.append(line) }
let folders = files.filter { $0.contains("/") }.compactMap { $0.split(separator: "/").first }
let pages = files.filter { $0.hasSuffix(".md") }
let links = try Links(
  root: URL(fileURLWithPath: CommandLine.arguments[1]), files: pages,
  folders: Set(folders.map(String.init)))
print(
  "\(pages.count) Markdown files, \(links.linkCount) links inside the repository,"
    + " \(links.pathCount) paths between backticks")
for finding in links.findings { print("FAILED: \(finding)") }
exit(links.findings.isEmpty ? 0 : 1)
