import Foundation
import SystemSupport

/// `dataset.json`: `{"labels": [["00000/img00000000.png", 6], ...]}`, or null for `labels`. This
/// program adds a key `classes` with the classes' names, which EDM's tools ignore.
struct LabelList {
  static let fileName = "dataset.json"
  /// More classes than any set of images has, so that a damaged label does not take all memory.
  static let classLimit = 1_000_000

  /// By image; nil where nothing is labelled.
  let labels: [ExactName: Int]?
  let classNames: [String]
  /// Names with letters beyond ASCII, by what they look like.
  private var alike: [String: ExactName] = [:]
  /// What errors call the file.
  let path: String

  /// The most bytes that the file of so many images may have: 4 MiB for classes' names and what
  /// else is in it, and 512 bytes per image. More would take memory for nothing.
  static func byteLimit(images: Int) -> Int { 1 << 22 + 512 * images }

  /// - Parameters:
  ///   - data: nil: there is no such file.
  ///   - images: images of the set, which bound the file's size.
  ///   - prefix: the folder in which the file lies, with a slash; its names begin there.
  /// - Throws: `DatasetError.brokenLabels`.
  init(_ data: Data?, path: String, images: Int, prefix: String = "") throws {
    self.path = path
    guard let data else {
      (labels, classNames) = (nil, [])
      return
    }
    let limit = LabelList.byteLimit(images: images)
    guard data.count <= limit else {
      throw DatasetError.brokenLabels(
        path: path, reason: "it has \(data.count) bytes, more than \(limit) for \(images) images")
    }
    let file: File
    do {
      file = try JSONDecoder().decode(File.self, from: data)
    } catch {
      throw DatasetError.brokenLabels(path: path, reason: DecodingError.oneLine(of: error))
    }
    guard let pairs = file.labels else {
      (labels, classNames) = (nil, [])
      return
    }
    var labels: [ExactName: Int] = [:]
    labels.reserveCapacity(pairs.count)
    for pair in pairs {
      guard pair.label >= 0 && pair.label < LabelList.classLimit else {
        throw DatasetError.brokenLabels(path: path, reason: "\(pair.name) has label \(pair.label)")
      }
      guard labels.updateValue(pair.label, forKey: ExactName(prefix + pair.name)) == nil else {
        throw DatasetError.brokenLabels(path: path, reason: "\(pair.name) is there twice")
      }
    }
    let count = (labels.values.max() ?? -1) + 1
    let names = file.classes ?? (0..<count).map { "\($0)" }
    guard names.count >= count else {
      throw DatasetError.brokenLabels(
        path: path, reason: "it names \(names.count) classes, and a label is \(count - 1)")
    }
    (self.labels, classNames) = (labels, names)
    let beyondASCII = labels.keys.filter { !$0.text.utf8.allSatisfy { $0 < 0x80 } }
    for (text, keys) in Dictionary(grouping: beyondASCII, by: \.text) where keys.count == 1 {
      alike[text] = keys[0]
    }
  }

  /// What an image is called here; nil where it has no label. Archives of some systems hold names
  /// with decomposed letters, and `dataset.json` the same names with composed ones.
  func key(of name: String) -> ExactName? {
    let exact = ExactName(name)
    return labels?[exact] == nil ? alike[name] : exact
  }

  /// The file's bytes: as Python's `json.dumps` would write them, except for the key `classes`.
  static func encoded(_ labels: [(name: String, label: Int)]?, classNames: [String]) -> Data {
    guard let labels else { return Data("{\"labels\": null}\n".utf8) }
    let pairs = labels.map { "[\(JSONText.quoted($0.name)), \($0.label)]" }.joined(separator: ", ")
    let names = classNames.map(JSONText.quoted).joined(separator: ", ")
    return Data("{\"labels\": [\(pairs)], \"classes\": [\(names)]}\n".utf8)
  }

  private struct File: Decodable {
    let labels: [Pair]?
    let classes: [String]?

    enum CodingKeys: CodingKey { case labels, classes }

    init(from decoder: any Decoder) throws {
      let keys = try decoder.container(keyedBy: CodingKeys.self)
      labels = try keys.decode([Pair]?.self, forKey: .labels)
      classes = try keys.decodeIfPresent([String].self, forKey: .classes)
    }
  }

  private struct Pair: Decodable {
    let name: String
    let label: Int

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      label = try values.decode(Int.self)
    }
  }
}
