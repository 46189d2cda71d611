import Foundation

/// Checks the shape of the package: sizes, circles of files, and what imports what.
struct Structure {
  static let targetLimit = 3_500
  static let fileLimit = 400
  static let circleLimit = 6
  /// Modules that every target may import without a dependency.
  static let toolchain: Set = [
    "Dispatch", "Foundation", "FoundationEssentials", "FoundationXML", "Glibc", "Musl",
    "Observation",
    "PackageDescription", "PackagePlugin", "Swift", "Synchronization", "Testing", "XCTest",
  ]

  let description: PackageDescription
  let targets: [Target]
  /// Lines of each Swift and C file below Sources and Tests.
  let lines: [String: Int]
  let graphs: [String: FileGraph]
  private(set) var findings: [String] = []

  init(package: URL, description: PackageDescription) throws {
    self.description = description
    let files = Structure.files(of: package)
    lines = try Dictionary(
      uniqueKeysWithValues: files.map { path in
        let data = try Data(contentsOf: package.appendingPathComponent(path))
        return (path, data.count { $0 == UInt8(ascii: "\n") })
      })
    targets = try description.targets.map { try Target($0, files: files, in: package) }
    var graphs: [String: FileGraph] = [:]
    for target in targets where !target.swift.isEmpty {
      let others = targets.filter { $0.name != target.name }
      let foreign = others.reduce(into: Set<String>()) { names, other in
        for file in other.swift { names.formUnion(file.visibleMembers) }
      }
      graphs[target.name] = FileGraph(target.swift, foreign: foreign)
    }
    self.graphs = graphs
    checkPaths(in: package)
    checkSizes()
    checkCircles()
    for target in targets {
      checkFloors(of: target)
      checkImports(of: target)
      checkUse(of: target)
    }
    checkPackages()
  }

  /// Swift and C files below Sources and Tests, without hidden folders.
  private static func files(of package: URL) -> [String] {
    var files: [String] = []
    for root in ["Sources", "Tests"] {
      let folder = package.appendingPathComponent(root).path
      for case let path as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
        guard !path.split(separator: "/").contains(where: { $0.hasPrefix(".") }) else { continue }
        if [".swift", ".c", ".h"].contains(where: { path.hasSuffix($0) }) {
          files.append("\(root)/\(path)")
        }
      }
    }
    return files.sorted()
  }

  private mutating func checkPaths(in package: URL) {
    for target in targets {
      var isFolder: ObjCBool = false
      let path = package.appendingPathComponent(target.description.folder).path
      if !FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        || !isFolder.boolValue
      {
        findings.append(
          "\(target.name): Package.swift says that it is in \(target.description.folder),"
            + " which is not a folder")
      }
    }
    let folders = targets.map { $0.description.folder + "/" }
    for path in lines.keys.sorted() where path.hasPrefix("Sources/") {
      if !folders.contains(where: { path.hasPrefix($0) }) {
        findings.append("\(path): it belongs to no target of Package.swift")
      }
    }
  }

  private mutating func checkSizes() {
    for target in targets where target.lines > Structure.targetLimit {
      findings.append(
        "\(target.name): \(target.lines) lines of Swift, at most \(Structure.targetLimit)"
          + " are allowed: split it")
    }
    for (path, count) in lines.sorted(by: { $0.key < $1.key }) where count > Structure.fileLimit {
      findings.append(
        "\(path): \(count) lines, at most \(Structure.fileLimit) are allowed: split it")
    }
  }

  private mutating func checkCircles() {
    for target in targets {
      for circle in graphs[target.name]?.circles ?? [] where circle.count > Structure.circleLimit {
        findings.append(
          "\(target.name): \(circle.count) files need each other in a circle, at most"
            + " \(Structure.circleLimit) are allowed (--edges \(target.name) shows why): "
            + names(circle, of: target))
      }
    }
  }

  /// The names of some files of a target without their common folder.
  func names(_ files: [Int], of target: Target) -> String {
    let folder = target.description.folder + "/"
    return files.map { file in
      let path = target.swift[file].path
      return path.hasPrefix(folder) ? String(path.dropFirst(folder.count)) : path
    }.joined(separator: " ")
  }

  private mutating func report(_ finding: String) { findings.append(finding) }
}

// What imports what.
extension Structure {
  private func target(_ name: String) -> Target? { targets.first { $0.name == name } }

  private mutating func checkFloors(of target: Target) {
    let isSource = target.description.folder.hasPrefix("Sources/")
    guard let floor = target.floor else {
      if isSource {
        report(
          "\(target.name): \(target.description.folder) is not in a folder Sources/N-Floor,"
            + " where N is the number of the floor")
      }
      return
    }
    let used = Set(target.imports.keys).union(target.description.dependencies.map(\.name))
    for name in used.sorted() where name != target.name {
      guard let other = self.target(name) else { continue }
      if !other.description.folder.hasPrefix("Sources/") {
        report("\(target.name): it uses \(name), which is not below Sources")
      } else if let above = other.floor, above > floor {
        report("\(target.name) on floor \(floor): it uses \(name) of the higher floor \(above)")
      }
    }
  }

  private mutating func checkImports(of target: Target) {
    let declared = Set(target.description.dependencies.map(\.name))
    for (name, file) in target.imports.sorted(by: { $0.key < $1.key }) {
      if name == target.name {
        report("\(file): it imports its own target")
      } else if !declared.contains(name), !Structure.toolchain.contains(name) {
        report("\(file): it imports \(name), which Package.swift does not list for \(target.name)")
      }
    }
    for other in targets where other.name != target.name && !declared.contains(other.name) {
      for header in target.includes.intersection(other.headers).sorted()
      where !target.headers.contains(header) {
        report(
          "\(target.name): it includes \(header) of \(other.name), which Package.swift does not list"
            + " for it")
      }
    }
  }

  /// A test may depend on a program only to have it built, C code on a library of the system.
  private mutating func checkUse(of target: Target) {
    let imports = target.imports
    for dependency in target.description.dependencies where imports[dependency.name] == nil {
      let other = self.target(dependency.name)
      if let other, other.description.isExecutable || other.description.isSystemLibrary { continue }
      if let other, !target.includes.isDisjoint(with: other.headers) { continue }
      report(
        "\(target.name): Package.swift lists \(dependency.name) for it, but no file of"
          + " \(target.description.folder) imports it")
    }
  }

  private mutating func checkPackages() {
    var used: Set<String> = []
    for dependency in targets.flatMap(\.description.dependencies) {
      used.insert((dependency.package ?? dependency.name).lowercased())
    }
    for package in description.dependencies where !used.contains(package.identity.lowercased()) {
      report("Package.swift: no target uses the package \(package.identity)")
    }
  }
}
