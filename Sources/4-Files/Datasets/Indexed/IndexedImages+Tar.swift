import FileFormats
import SystemSupport

extension IndexedImages {
  /// A tar, or a folder of them in the byte order of their names.
  ///
  /// WebDataset's naming: files whose paths are equal up to the first point of the name are one
  /// sample, such as `000001.jpg` with its class in `000001.cls`, or in `000001.json` as a number
  /// `label` (`TarSamples`). Where no tar has a label and each tar of a folder is named after a
  /// synset, such as `n01440764.tar`, these names are the classes, as in ILSVRC's training archive;
  /// the images of a class are then in the byte order of their names, as in class folders. Otherwise
  /// nothing is labelled.
  ///
  /// - Throws: `ArchiveError.brokenTar`, `.brokenLabels`, `.missingLabel`, `.emptyClass`,
  ///   `.noImages`.
  package init(tars path: String) throws {
    var (files, leftOut) = ([path], LeftOut())
    let isFolder = try Files.kind(path) == .folder
    if isFolder {
      let items = try Files.items(in: path)
      let isTar = { (item: Files.Item) in !item.isHidden && TarFile.isName(item.name) }
      files = items.filter(isTar).map { Files.join(path, $0.name) }
      for item in items where !isTar(item) {
        if item.kind == .folder { leftOut.add("folders") } else { leftOut.add(name: item.name) }
      }
      guard !files.isEmpty else { throw DatasetError.noImages(path: path, found: leftOut) }
    }
    let tars = try files.map { try TarFile(path: $0) }
    var images: [TarSamples.Sample] = []
    var lost: DatasetError?
    for (part, tar) in tars.enumerated() {
      let samples = try TarSamples(tar, part)
      images += samples.samples
      leftOut.add(samples.leftOut)
      lost = lost ?? samples.lost
    }
    guard !images.isEmpty else { throw DatasetError.noImages(path: path, found: leftOut) }
    if let lost { throw lost }

    let synsets = files.map { String(Files.name($0).dropLast(".tar".count)) }
    var entries: [Entry] = []
    var classNames: [String] = []
    if !images.contains(where: { $0.label != nil }), isFolder, synsets.allSatisfy(Self.isSynset) {
      classNames = synsets
      let byTar = Dictionary(grouping: images, by: \.part)
      for (label, tar) in tars.enumerated() {
        guard let own = byTar[label] else { throw DatasetError.emptyClass(path: tar.path) }
        entries += FileName.sorted(own.map { $0.entry(label: label) }, by: \.name)
      }
    } else {
      let isLabelled = images.contains { $0.label != nil }
      for sample in images {
        guard !isLabelled || sample.label != nil else {
          throw DatasetError.missingLabel(
            path: tars[sample.part].path, name: sample.image.name,
            expected: "\(sample.key).cls, or \(sample.key).json with a label")
        }
        entries.append(sample.entry(label: sample.label))
      }
      let count = (entries.compactMap(\.label).max() ?? -1) + 1
      classNames = (0..<count).map { "\($0)" }
    }
    self.init(
      path: path, layout: .tar, classNames: classNames, entries: entries, store: .tars(tars),
      leftOut: leftOut)
  }

  /// WordNet's names of noun synsets: n and eight digits.
  private static func isSynset(_ name: String) -> Bool {
    name.utf8.count == 9 && name.hasPrefix("n") && Int(name.dropFirst()) != nil
  }
}
