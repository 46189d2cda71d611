import FileFormats
import Foundation
import SystemSupport

/// The images of a tar with their labels, in the order of their first files.
///
/// Files whose names are equal up to the first point are one sample. Its image ends in `.png`,
/// `.jpg` or another ending of `ImageNames` right behind that point; images such as `a.mask.png`
/// beside it are left out. Where a sample has only such images, as in `frame.0001.png`, each of them
/// is a sample of its own, with its label in `frame.0001.cls` or else in `frame.cls`.
struct TarSamples {
  /// One image.
  struct Sample {
    /// The name that its files have in common.
    let key: String
    /// Which tar it is in.
    let part: Int
    let image: TarFile.Entry
    let label: Int?

    func entry(label: Int?) -> IndexedImages.Entry {
      IndexedImages.Entry(
        name: image.name, label: label, part: part, offset: image.offset, size: image.size)
    }
  }

  /// In the order of their first files.
  private(set) var samples: [Sample] = []
  /// What is in the tar and is not used.
  private(set) var leftOut = LeftOut()
  /// A label that no image of the tar has, and that would be lost.
  private(set) var lost: DatasetError?
  private let tar: TarFile
  private let part: Int

  /// - Parameter part: the tar's place among those of the set.
  init(_ tar: TarFile, _ part: Int) throws {
    (self.tar, self.part) = (tar, part)
    for (kind, count) in tar.passedOver { leftOut.add(kind, count) }
    var groups: [Group] = []
    var places: [ExactName: Int] = [:]
    for file in tar.entries {
      let role = ImageNames.isHidden(file.name) ? nil : role(of: file)
      guard let role else {
        if Files.name(file.name) == LabelList.fileName {
          lose(file, "labels of a packed set are read from a .zip or a folder: unpack the tar")
        } else if !ImageNames.isRecord(file.name) {
          leftOut.add(name: file.name)
        }
        continue
      }
      let (key, ending) = ImageNames.splitAtFirstPoint(file.name)
      let place = places[ExactName(key)] ?? groups.count
      if place == groups.count {
        groups.append(Group(key: key))
        places[ExactName(key)] = place
      }
      let isPlain = ending == ImageNames.ending(file.name)
      try groups[place].add(file, role, isPlain: isPlain, in: tar)
    }
    for group in groups { try add(group) }
  }

  fileprivate enum Role { case image, label }

  /// Files that are equal up to the first point.
  fileprivate struct Group {
    let key: String
    var image: TarFile.Entry?
    /// Labels right behind the first point.
    var labels: [TarFile.Entry] = []
    /// Images and labels that have more between the first point and the last.
    var longerImages: [TarFile.Entry] = []
    var longerLabels: [TarFile.Entry] = []

    mutating func add(
      _ file: TarFile.Entry, _ role: Role, isPlain: Bool, in tar: TarFile
    ) throws {
      switch (role, isPlain) {
      case (.label, true): labels.append(file)
      case (.label, false): longerLabels.append(file)
      case (.image, false): longerImages.append(file)
      case (.image, true):
        if let other = image {
          throw ArchiveError.brokenTar(
            path: tar.path, reason: "sample \(key) has two images, \(other.name) and \(file.name)")
        }
        image = file
      }
    }
  }

  /// Nil for a file that is neither an image nor a label.
  private func role(of file: TarFile.Entry) -> Role? {
    let isImage = ImageNames.isImage(file.name) { tar.bytes(file.offset, min(file.size, 8)) }
    if isImage { return .image }
    return ["cls", "json"].contains(ImageNames.ending(file.name))
      && !ImageNames.isRecord(file.name) ? .label : nil
  }

  private mutating func add(_ group: Group) throws {
    let label = try TarLabel.of(group.labels, in: tar)
    if let image = group.image {
      samples.append(Sample(key: group.key, part: part, image: image, label: label))
      for file in group.longerImages + group.longerLabels { leftOut.add(name: file.name) }
      return
    }
    guard !group.longerImages.isEmpty else {
      if label != nil { lose(group.labels[0]) }
      for file in group.labels + group.longerLabels { leftOut.add(name: file.name) }
      return
    }
    var labels = Dictionary(grouping: group.longerLabels) { ExactName(stem($0.name)) }
    for image in group.longerImages {
      let key = stem(image.name)
      let own = try TarLabel.of(labels[ExactName(key)] ?? [], in: tar)
      samples.append(Sample(key: key, part: part, image: image, label: own ?? label))
    }
    for image in group.longerImages { labels[ExactName(stem(image.name))] = nil }
    for files in labels.values.sorted(by: { $0[0].offset < $1[0].offset }) {
      if try TarLabel.of(files, in: tar) != nil { lose(files[0]) }
      for file in files { leftOut.add(name: file.name) }
    }
  }

  /// The name up to the last point.
  private func stem(_ name: String) -> String {
    String(Substring(name.utf8.dropLast(ImageNames.ending(name).utf8.count + 1)))
  }

  private mutating func lose(
    _ file: TarFile.Entry, _ reason: String = "no image in the tar belongs to it"
  ) {
    lost = lost ?? .brokenLabels(path: Files.join(tar.path, file.name), reason: reason)
  }
}

/// The label that a sample's files hold.
private enum TarLabel {
  /// More bytes no such file has, though JSON may hold a caption beside the label.
  private static let byteLimit = 1 << 20

  /// Nil without files, and for JSON without a label.
  static func of(_ files: [TarFile.Entry], in tar: TarFile) throws -> Int? {
    var label: Int?
    for file in files {
      guard let found = try TarLabel.of(file, in: tar) else { continue }
      if let label, label != found {
        throw DatasetError.brokenLabels(
          path: Files.join(tar.path, file.name), reason: "the sample has label \(label) too")
      }
      label = found
    }
    return label
  }

  private static func of(_ file: TarFile.Entry, in tar: TarFile) throws -> Int? {
    let path = Files.join(tar.path, file.name)
    guard file.size <= byteLimit else {
      throw DatasetError.brokenLabels(
        path: path, reason: "it has \(file.size) bytes, more than \(byteLimit) for one label")
    }
    let bytes = tar.bytes(file.offset, file.size)
    let label: Int?
    if ImageNames.ending(file.name) == "json" {
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
