import Foundation
import SystemSupport

/// The tensors of one safetensors file, or of several files that an index names, as Hugging Face's
/// libraries write large networks: `NAME.safetensors.index.json` with a `weight_map` from tensors to
/// files beside it.
package struct SafetensorsCollection: Sendable {
  /// The file or the index, for errors.
  package let path: String
  /// The tensors of all files.
  package let entries: [SafetensorsEntry]
  private let files: [SafetensorsFile]
  /// By tensor: its entry and its file.
  private let places: [String: (entry: Int, file: Int)]

  private struct Index: Decodable {
    let weightMap: [String: String]
    enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
  }

  /// The most files that an index may name: each is open while it is read.
  private static let largestCount = 512

  /// Opens a file, or what an index (`.json`) names.
  ///
  /// - Throws: `SafetensorsError`, `FileError`.
  package init(path: String) throws {
    guard path.hasSuffix(".json") else {
      try self.init(path, [SafetensorsFile(path: path)])
      return
    }
    let map = try Self.index(path)
    let names = Set(map.values).sorted()
    guard names.count <= Self.largestCount else {
      throw SafetensorsError.index(
        path: path,
        reason: "weight_map names \(names.count) files, expected at most"
          + " \(Self.largestCount)")
    }
    let folder = FileSystem.parent(of: path)
    let files = try names.map { name in
      guard !name.contains("/"), name.hasSuffix(".safetensors") else {
        throw SafetensorsError.index(
          path: path,
          reason: "weight_map names the file \"\(name)\", expected a .safetensors file beside it")
      }
      return try SafetensorsFile(path: Files.join(folder, name))
    }
    for (tensor, name) in map.sorted(by: { $0.key < $1.key }) {
      _ = try names.firstIndex(of: name).map { try files[$0].entry(tensor) }
    }
    try self.init(path, files)
  }

  private init(_ path: String, _ files: [SafetensorsFile]) throws {
    (self.path, self.files) = (path, files)
    var (entries, places) = ([SafetensorsEntry](), [String: (entry: Int, file: Int)]())
    for (index, file) in files.enumerated() {
      for entry in file.entries {
        guard places.updateValue((entries.count, index), forKey: entry.name) == nil else {
          throw SafetensorsError.index(
            path: path, reason: "two of its files have a tensor \(entry.name)")
        }
        entries.append(entry)
      }
    }
    (self.entries, self.places) = (entries, places)
  }

  private static func index(_ path: String) throws -> [String: String] {
    guard let bytes = try JSONFile.bytes(ifPresent: path) else {
      throw FileError.notFound(path: path)
    }
    do {
      return try JSONDecoder().decode(Index.self, from: Data(bytes)).weightMap
    } catch {
      throw SafetensorsError.index(path: path, reason: DecodingError.oneLine(of: error))
    }
  }

  /// The tensor of that name, or nil.
  package subscript(name: String) -> SafetensorsEntry? { places[name].map { entries[$0.entry] } }

  /// A floating-point tensor as f32, row-major.
  /// - Throws: `SafetensorsError.noSuchTensor`, `SafetensorsError.tensorType`.
  package func floats(_ name: String) throws -> [Float] {
    guard let place = places[name] else {
      throw SafetensorsError.noSuchTensor(path: path, tensor: name)
    }
    return try files[place.file].floats(name)
  }
}
