import Foundation

/// The words that this process was started with.
package enum ProcessArguments {
  /// All of them, the program's name first; read from /proc/self/cmdline.
  ///
  /// `CommandLine.arguments` is empty where a library has changed the environment before Swift
  /// starts (swiftlang/swift#76080): it looks for the arguments below the environment's first
  /// place.
  package static let all: [String] = {
    guard let file = fopen("/proc/self/cmdline", "r") else { return CommandLine.arguments }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&part, 1, part.count, file), count > 0 {
      bytes += part[..<count]
    }
    let words = split(bytes)
    return words.isEmpty ? CommandLine.arguments : words
  }()

  /// The words of a command line whose words end in a zero byte; empty ones are kept.
  static func split(_ bytes: [UInt8]) -> [String] {
    guard let last = bytes.last else { return [] }
    return (last == 0 ? bytes.dropLast() : bytes[...])
      .split(separator: 0, omittingEmptySubsequences: false)
      .map { FileName.text($0) }
  }
}
