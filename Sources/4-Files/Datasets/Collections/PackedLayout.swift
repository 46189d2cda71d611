import Foundation
import SystemSupport

/// Names and labels of the layout that EDM's dataset tool reads and writes.
package enum PackedLayout {
  /// Of the file with the labels.
  package static let labelFileName = LabelList.fileName
  /// Names have eight digits.
  package static let imageLimit = 100_000_000

  /// `00012/img00012345.png`: a folder a thousand.
  package static func name(of index: Int) -> String {
    precondition(index >= 0 && index < imageLimit, "PackedLayout: image \(index)")
    let padded = Format.zeroPadded(index, 8)
    return "\(padded.prefix(5))/img\(padded).png"
  }

  /// The bytes of `dataset.json`; with the classes' names, which EDM's tools pass over.
  ///
  /// - Parameter labels: nil: nothing is labelled.
  package static func labelFile(
    _ labels: [(name: String, label: Int)]?, classNames: [String]
  ) -> Data {
    LabelList.encoded(labels, classNames: classNames)
  }
}
