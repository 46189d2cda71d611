import Foundation
import ProcessSupport
import Testing

extension Command {
  /// With a fault, and with the shared memory of the killed in a folder that goes with the test.
  func faulty(_ fault: String?, in scene: Scene) -> Command {
    var command = self
    if let fault { command.environment["DIFFIT_TEST_FAULT"] = fault }
    for name in ["vader", "sm"] {
      command.environment["OMPI_MCA_btl_\(name)_backing_directory"] = scene.folder.path
    }
    command.seconds = 40
    return command
  }
}

/// A tmpfs of a set size, unmounted when it is dropped.
final class SmallDisk {
  /// Whether this process may mount at all; containers often may not, not even as root.
  static let isPossible: Bool = {
    let place = FileManager.default.temporaryDirectory.appendingPathComponent("mount-\(UUID())")
    defer { try? FileManager.default.removeItem(at: place) }
    return (try? SmallDisk(at: place.path, kilobytes: 64)) != nil
  }()

  private let path: String

  init(at path: String, kilobytes: Int) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    self.path = path
    try SmallDisk.call(["mount", "-t", "tmpfs", "-o", "size=\(kilobytes)k", "tmpfs", path])
  }

  /// `size=4m`, `ro`, `rw`
  func change(_ options: String) throws {
    try SmallDisk.call(["mount", "-o", "remount,\(options)", path])
  }

  private static func call(_ words: [String]) throws {
    let outcome = try Command(words).run()
    try #require(outcome.code == 0, "\(words): \(outcome.errors)")
  }

  deinit { _ = try? Command(["umount", "--lazy", path]).run() }
}
