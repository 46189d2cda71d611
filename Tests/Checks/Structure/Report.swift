/// How many of the worst are named.
private let shown = 5

/// Prints the largest targets, files and circles.
func printFigures(_ structure: Structure) {
  let targets = structure.targets.filter { !$0.swift.isEmpty }
  let edges = structure.graphs.values.reduce(0) { $0 + $1.edges.count }
  print(
    "\(targets.count) Swift targets, \(structure.lines.count) files of Swift and C,"
      + " \(structure.lines.values.reduce(0, +)) lines, \(edges) needs between files of one target")

  print("largest targets, of at most \(Structure.targetLimit) lines of Swift:")
  for target in targets.sorted(by: { ($1.lines, $0.name) < ($0.lines, $1.name) }).prefix(shown) {
    print("  \(padded(target.lines)) \(target.name)")
  }

  print("longest files, of at most \(Structure.fileLimit) lines:")
  let files = structure.lines.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
  for (path, lines) in files.prefix(shown) { print("  \(padded(lines)) \(path)") }

  print("largest circles, of at most \(Structure.circleLimit) files that need each other:")
  let circles = targets.flatMap { target in
    (structure.graphs[target.name]?.circles ?? []).map { (target: target, files: $0) }
  }
  for circle in circles.sorted(by: { $0.files.count > $1.files.count }).prefix(shown) {
    print(
      "  \(padded(circle.files.count)) \(circle.target.name):"
        + " \(structure.names(circle.files, of: circle.target))")
  }
  if circles.isEmpty { print("  none") }
}

/// Prints which file of a circle needs which other file of it, and a name that it uses.
func printEdges(_ graph: FileGraph, of target: Target) {
  if graph.circles.isEmpty { print("\(target.name): no files that need each other in a circle") }
  let prefix = target.description.folder.count + 1
  for circle in graph.circles {
    print("\(target.name): a circle of \(circle.count) files")
    for (edge, name) in graph.edges.sorted(by: {
      ($0.key.from, $0.key.to) < ($1.key.from, $1.key.to)
    })
    where circle.contains(edge.from) && circle.contains(edge.to) {
      let (from, to) = (graph.files[edge.from].path, graph.files[edge.to].path)
      print("  \(from.dropFirst(prefix)) uses \(name) of \(to.dropFirst(prefix))")
    }
  }
}

private func padded(_ number: Int) -> String {
  let text = String(number)
  return String(repeating: " ", count: max(0, 5 - text.count)) + text
}
