/// Thrown by a job that was asked to stop, after it has saved its state: the program ends with exit
/// code 64, on which a scheduler starts the job again.
public struct StoppedOnRequest: Error, Equatable, Sendable, CustomStringConvertible {
  /// What asked: the signal's name.
  public let reason: String
  public let images: Int

  public init(reason: String, images: Int) {
    (self.reason, self.images) = (reason, images)
  }

  public var description: String {
    "stopped on request (\(reason)) at \(images) images, state saved: start again to go on"
  }
}
