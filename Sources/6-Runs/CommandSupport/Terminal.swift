import Foundation

/// The terminal behind a descriptor.
package enum Terminal {
  /// Its columns; nil where the descriptor is no terminal or the terminal does not tell.
  ///
  /// Open MPI puts a terminal of its own between the ranks and the real one; on another host it has
  /// no size. The launch scripts tell the real one's in the environment variable `DIFFIT_COLUMNS`.
  package static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
    return size.ws_col > 0 ? Int(size.ws_col) : announced
  }

  private static let announced = ProcessInfo.processInfo.environment["DIFFIT_COLUMNS"]
    .flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
}
