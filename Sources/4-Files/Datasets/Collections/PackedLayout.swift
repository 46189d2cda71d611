import Foundation
import SystemSupport

/// Names and labels of the layout that EDM's dataset tool reads and writes.
package enum PackedLayout {
  /// Name of the file with the labels.
  package static let labelFileName = LabelList.fileName
  /// The number of images that names of eight digits allow.
  package static let imageLimit = 100_000_000

  /// Path of image `index`, such as `00012/img00012345.png`: one folder per thousand images.
  package static func name(of index: Int) -> String {
    precondition(index >= 0 && index < imageLimit, "PackedLayout: image \(index)")
    let padded = Format.zeroPadded(index, 8)
    return "\(padded.prefix(5))/img\(padded).png"
  }

  /// The bytes of `dataset.json`, with the classes' names, which EDM's tools ignore.
  ///
  /// - Parameter labels: nil: nothing is labelled.
  package static func labelFile(
    _ labels: [(name: String, label: Int)]?, classNames: [String]
  ) -> Data {
    LabelList.encoded(labels, classNames: classNames)
  }
}
