import FileFormats
import Foundation
import SystemSupport

extension IndexedImages {
  /// A tar, or a folder of them in the byte order of their names.
  ///
  /// WebDataset's naming: files whose paths are equal up to the first point of the name are one
  /// sample, such as `000001.jpg` with its class in `000001.cls`, or in `000001.json` as a number
  /// `label`; other files of a sample are passed over. Where no tar has a label and each tar of a
  /// folder is named after a synset, such as `n01440764.tar`, these names are the classes, as in
  /// ILSVRC's training archive; the images of a class are then in the byte order of their names, as
  /// in class folders. Otherwise nothing is labelled.
  ///
  /// - Throws: `ArchiveError.brokenTar`, `.brokenLabels`, `.missingLabel`, `.emptyClass`,
  ///   `.noImages`.
  package init(tars path: String) throws {
    var files = [path]
    let isFolder = try Files.kind(path) == .folder
    if isFolder {
      files = try Files.names(in: path).filter(TarFile.isName).map { Files.join(path, $0) }
      guard !files.isEmpty else { throw DatasetError.noImages(path: path) }
    }
    var tars: [TarFile] = []
    for file in files { tars.append(try TarFile(path: file)) }

    var samples: [Sample] = []
    for (part, tar) in tars.enumerated() { try Sample.add(tar, part, to: &samples) }
    let images = samples.filter { $0.image != nil }
    guard !images.isEmpty else { throw DatasetError.noImages(path: path) }

    let synsets = files.map { String((Files.name($0) as NSString).deletingPathExtension) }
    var entries: [Entry] = []
    var classNames: [String] = []
    if !images.contains(where: { $0.label != nil }), isFolder, synsets.allSatisfy(Self.isSynset) {
      classNames = synsets
      let byTar = Dictionary(grouping: images, by: \.part)
      for (label, tar) in tars.enumerated() {
        guard let own = byTar[label]?.compactMap({ $0.entry(label: label) }) else {
          throw DatasetError.emptyClass(path: tar.path)
        }
        entries += own.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
      }
    } else {
      let isLabelled = images.contains { $0.label != nil }
      for sample in images {
        guard !isLabelled || sample.label != nil else {
          throw DatasetError.missingLabel(
            path: tars[sample.part].path, name: sample.image?.name ?? sample.key,
            expected: "\(sample.key).cls, or \(sample.key).json with a label")
        }
        if let entry = sample.entry(label: sample.label) { entries.append(entry) }
      }
      let count = (entries.compactMap(\.label).max() ?? -1) + 1
      classNames = (0..<count).map { "\($0)" }
    }
    self.init(
      path: path, layout: .tar, classNames: classNames, entries: entries, store: .tars(tars))
  }

  /// WordNet's names of noun synsets: n and eight digits.
  private static func isSynset(_ name: String) -> Bool {
    name.utf8.count == 9 && name.hasPrefix("n") && Int(name.dropFirst()) != nil
  }
}

/// Files of a tar that belong together.
private struct Sample {
  let key: String
  let part: Int
  var image: TarFile.Entry?
  var label: Int?

  func entry(label: Int?) -> IndexedImages.Entry? {
    image.map {
      IndexedImages.Entry(
        name: $0.name, label: label, part: part, offset: $0.offset, size: $0.size)
    }
  }

  /// The tar's samples, in the order of their first files.
  static func add(_ tar: TarFile, _ part: Int, to samples: inout [Sample]) throws {
    var places: [String: Int] = [:]
    for file in tar.entries where !ImageNames.isHidden(file.name) {
      let (key, ending) = split(file.name)
      let isImage = ["jpg", "jpeg", "png"].contains(ending)
      guard isImage || ending == "cls" || ending == "json" else { continue }
      let place = places[key] ?? samples.count
      if place == samples.count {
        samples.append(Sample(key: key, part: part))
        places[key] = place
      }
      if isImage {
        if let other = samples[place].image {
          throw ArchiveError.brokenTar(
            path: tar.path, reason: "sample \(key) has two images, \(other.name) and \(file.name)"
          )
        }
        samples[place].image = file
      } else if let label = try label(tar, file, isJSON: ending == "json") {
        if let other = samples[place].label, other != label {
          throw DatasetError.brokenLabels(
            path: Files.join(tar.path, file.name), reason: "the sample has label \(other) too")
        }
        samples[place].label = label
      }
    }
  }

  /// `a/b.seg.PNG` is `seg.png` of `a/b`.
  private static func split(_ name: String) -> (key: String, ending: String) {
    let start = name.lastIndex(of: "/").map { name.index(after: $0) } ?? name.startIndex
    guard let point = name[start...].firstIndex(of: ".") else { return (name, "") }
    return (String(name[..<point]), name[name.index(after: point)...].lowercased())
  }

  /// Nil for JSON without a label.
  private static func label(
    _ tar: TarFile, _ file: TarFile.Entry, isJSON: Bool
  ) throws -> Int? {
    let path = Files.join(tar.path, file.name)
    let bytes = tar.bytes(file.offset, file.size)
    let label: Int?
    if isJSON {
      guard let object = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
        throw DatasetError.brokenLabels(path: path, reason: "it is no JSON object")
      }
      guard let found = object["label"] else { return nil }
      label = found as? Int
    } else {
      let text = String(decoding: bytes.prefix(32), as: UTF8.self)
      label = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }
    guard let label, label >= 0 && label < LabelList.classLimit else {
      throw DatasetError.brokenLabels(path: path, reason: "its label is no number from 0 on")
    }
    return label
  }
}
