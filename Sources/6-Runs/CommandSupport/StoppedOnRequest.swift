/// Thrown by a job that was asked to stop, after it has saved its state: the program ends with exit
/// code 64, on which a scheduler starts the job again.
package struct StoppedOnRequest: Error, Equatable, Sendable, CustomStringConvertible {
  /// What asked: the signal's name.
  package let reason: String
  /// Images seen when the state was saved.
  package let images: Int

  /// A stop at a number of images seen.
  package init(reason: String, images: Int) {
    (self.reason, self.images) = (reason, images)
  }

  package var description: String {
    "stopped on request (\(reason)) at \(images) images, state saved: start again to go on"
  }
}
