import CommandSupport
import Datasets

extension RunLog {
  /// Says what is beside the images of a set and is not used; nothing where all is used.
  ///
  /// - Parameter path: names the set, where there are several.
  package func tell(leftOut: LeftOut, in path: String? = nil) {
    guard !leftOut.isEmpty else { return }
    info("left out\(path.map { " in \($0)" } ?? ""): \(leftOut.text)")
  }
}
