import Foundation

// Called by structure.sh: PACKAGE DESCRIPTION [--edges TARGET].

let arguments = CommandLine.arguments
let package = URL(fileURLWithPath: arguments[1])
let json = try Data(contentsOf: URL(fileURLWithPath: arguments[2]))
let structure = try Structure(
  package: package, description: JSONDecoder().decode(PackageDescription.self, from: json))

if arguments.count == 5 {
  guard let target = structure.targets.first(where: { $0.name == arguments[4] }),
    let graph = structure.graphs[target.name]
  else {
    print("structure.sh: there is no Swift target \(arguments[4])")
    exit(2)
  }
  printEdges(graph, of: target)
  exit(0)
}
printFigures(structure)
for finding in structure.findings { print("FAILED: \(finding)") }
exit(structure.findings.isEmpty ? 0 : 1)
