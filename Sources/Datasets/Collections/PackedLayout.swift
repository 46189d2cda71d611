import Foundation

/// Names and labels of the layout that EDM's dataset tool reads and writes.
public enum PackedLayout {
  /// Of the file with the labels.
  public static let labelFileName = LabelList.fileName
  /// Names have eight digits.
  public static let imageLimit = 100_000_000

  /// `00012/img00012345.png`: a folder a thousand.
  public static func name(of index: Int) -> String {
    precondition(index >= 0 && index < imageLimit, "PackedLayout: image \(index)")
    let digits = String(index)
    let padded = String(repeating: "0", count: 8 - digits.count) + digits
    return "\(padded.prefix(5))/img\(padded).png"
  }

  /// The bytes of `dataset.json`; with the classes' names, which EDM's tools pass over.
  ///
  /// - Parameter labels: nil: nothing is labelled.
  public static func labelFile(
    _ labels: [(name: String, label: Int)]?, classNames: [String]
  ) -> Data {
    LabelList.encoded(labels, classNames: classNames)
  }
}
