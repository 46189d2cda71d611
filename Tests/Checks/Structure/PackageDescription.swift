import Foundation

/// Package.swift as `swift package dump-package` prints it.
struct PackageDescription: Decodable {
  struct Target: Decodable {
    let name: String
    let type: String
    let path: String?
    let exclude: [String]?
    let dependencies: [TargetDependency]

    /// Whether it only tells where a library of the system is.
    var isSystemLibrary: Bool { type == "system" }
    var isExecutable: Bool { type == "executable" }
    var isTest: Bool { type == "test" }

    /// Where its files are, relative to the package.
    var folder: String { path ?? (isTest ? "Tests/\(name)" : "Sources/\(name)") }
  }

  /// `{"byName": ["Yams", null]}` or `{"product": ["ArgumentParser", "swift-argument-parser", ...]}`.
  struct TargetDependency: Decodable {
    let name: String
    /// The package of a product, where Package.swift names it.
    let package: String?

    init(from decoder: any Decoder) throws {
      let kinds = try decoder.singleValueContainer().decode([String: [Part]].self)
      let parts = kinds.values.first ?? []
      name = parts.first?.text ?? ""
      package = kinds["product"] == nil || parts.count < 2 ? nil : parts[1].text
    }
  }

  /// A string among other values.
  private struct Part: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      text = try? decoder.singleValueContainer().decode(String.self)
    }
  }

  /// A package that this one uses: `{"sourceControl": [{"identity": "yams", ...}]}`.
  struct Package: Decodable {
    struct Source: Decodable { let identity: String }
    let identity: String

    init(from decoder: any Decoder) throws {
      let kinds = try decoder.singleValueContainer().decode([String: [Source]].self)
      identity = kinds.values.first?.first?.identity ?? ""
    }
  }

  let targets: [Target]
  let dependencies: [Package]
}
