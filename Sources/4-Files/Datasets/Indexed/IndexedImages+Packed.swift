import FileFormats
import Foundation
import SystemSupport

extension IndexedImages {
  /// The layout of EDM's dataset tool: images at any depth of a .zip or a folder, in the byte order
  /// of their paths, and `dataset.json` with their labels. Entries of a .zip may be stored or
  /// deflated.
  ///
  /// Without `dataset.json`, or where it says null, nothing is labelled.
  ///
  /// - Throws: `DatasetError.noImages`, `.brokenLabels`, `.missingLabel`, and errors of a damaged
  ///   .zip.
  package init(packed path: String) throws {
    if try Files.kind(path) == .folder {
      let file = Files.join(path, LabelList.fileName)
      let list = Files.kindIfPresent(file) == .file ? try Files.map(file) : nil
      let names = try FolderImages(path: path).names
      try self.init(
        packed: path, labels: LabelList(list, path: file), store: .folder,
        names.map { Entry(name: $0, label: nil) })
      return
    }
    let directory = try ZipDirectory(path: path)
    let file = Files.join(path, LabelList.fileName)
    var (list, entries): (Data?, [Entry]) = (nil, [])
    for (index, entry) in directory.entries.enumerated() {
      if entry.name == LabelList.fileName {
        list = try directory.content(entry)
      } else if ImageNames.isImage(entry.name) && !ImageNames.isHidden(entry.name) {
        entries.append(Entry(name: entry.name, label: nil, offset: index))
      }
    }
    entries.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    try self.init(
      packed: path, labels: LabelList(list, path: file), store: .zip(directory), entries)
  }

  private init(
    packed path: String, labels: LabelList, store: Store, _ entries: [Entry]
  ) throws {
    guard !entries.isEmpty else { throw DatasetError.noImages(path: path) }
    var labelled: [Entry] = []
    labelled.reserveCapacity(entries.count)
    for entry in entries {
      guard let all = labels.labels else {
        labelled.append(entry)
        continue
      }
      guard let label = all[entry.name] else {
        throw DatasetError.missingLabel(
          path: path, name: entry.name, expected: "an entry in dataset.json")
      }
      labelled.append(Entry(name: entry.name, label: label, offset: entry.offset))
    }
    if let all = labels.labels, all.count > labelled.count {
      let names = Set(labelled.map(\.name))
      let lost = all.keys.filter { !names.contains($0) }.min() ?? ""
      throw DatasetError.brokenLabels(
        path: Files.join(path, LabelList.fileName), reason: "it has \(lost), which is not there")
    }
    self.init(
      path: path, layout: .packed, classNames: labels.classNames, entries: labelled, store: store)
  }
}

/// `dataset.json`: `{"labels": [["00000/img00000000.png", 6], ...]}`, or null for `labels`. This
/// program adds a key `classes` with the classes' names, which EDM's tools ignore.
struct LabelList {
  static let fileName = "dataset.json"
  /// More classes than any set of images has, so that a damaged label does not take all memory.
  static let classLimit = 1_000_000

  /// Nil where nothing is labelled.
  let labels: [String: Int]?
  let classNames: [String]

  /// - Parameter data: nil: there is no such file.
  /// - Throws: `DatasetError.brokenLabels`.
  init(_ data: Data?, path: String) throws {
    guard let data else {
      (labels, classNames) = (nil, [])
      return
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
    var labels: [String: Int] = [:]
    labels.reserveCapacity(pairs.count)
    for pair in pairs {
      guard pair.label >= 0 && pair.label < LabelList.classLimit else {
        throw DatasetError.brokenLabels(path: path, reason: "\(pair.name) has label \(pair.label)")
      }
      guard labels.updateValue(pair.label, forKey: pair.name) == nil else {
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
