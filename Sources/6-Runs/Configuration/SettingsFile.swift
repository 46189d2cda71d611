import Foundation
import SystemSupport

/// Files of settings as text.
enum SettingsFile {
  /// The text of a file in UTF-8, with or without a byte order mark, or in UTF-16 with one.
  static func text(of path: String) throws(ConfigurationError) -> String {
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try InputFile.contents(of: path)
    } catch {
      let reason =
        switch error {
        case .notRegular(_, let found): "is \(found)"
        case .system(_, _, ENOENT): "no such file"
        default: "cannot be read"
        }
      throw .unreadableFile(path: path, reason: reason)
    }
    let kind = FileKind(bytes)
    guard kind == .empty || FileUse.settings.takes(kind) else {
      throw .unreadableFile(path: path, reason: "is \(kind.name)")
    }
    let isUTF16 = [[0xFF, 0xFE], [0xFE, 0xFF]].contains(bytes.prefix(2).map { Int($0) })
    let text =
      isUTF16
      ? String(data: Data(bytes), encoding: .utf16) : String(validating: bytes, as: UTF8.self)
    guard let text else { throw .unreadableFile(path: path, reason: "is not UTF-8 text") }
    return text
  }
}
