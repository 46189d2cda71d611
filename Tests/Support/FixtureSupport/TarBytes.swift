import Foundation

/// A tar as `tar` writes it (POSIX ustar).
package struct TarBytes {
  private var bytes = Data()

  /// An empty one.
  package init() {}

  /// Adds a member, whose name may be any bytes.
  ///
  /// - Parameters:
  ///   - type: `0` a file, `1` a hard link, `2` a symbolic link, `5` a folder.
  ///   - target: what a link leads to.
  ///   - size: what the header says; nil: as it is.
  package mutating func add(
    _ name: [UInt8], _ content: Data, type: String = "0", target: String = "", size: Int? = nil
  ) {
    var header = Data(count: 512)
    func put(_ text: some Collection<UInt8>, _ offset: Int) {
      header.replaceSubrange(offset..<offset + text.count, with: text)
    }
    func octal(_ number: Int, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, 0)
    put("0000644".utf8, 100)
    put(octal(size ?? content.count, size == nil ? 11 : 12).utf8, 124)
    put(octal(0, 11).utf8, 136)
    put("        ".utf8, 148)
    put(type.utf8, 156)
    put(target.utf8, 157)
    put("ustar".utf8, 257)
    put("00".utf8, 263)
    put((octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ").utf8, 148)
    bytes += header + content + Data(count: (512 - content.count % 512) % 512)
  }

  /// Adds a member.
  package mutating func add(
    _ name: String, _ content: Data, type: String = "0", target: String = ""
  ) {
    add(Array(name.utf8), content, type: type, target: target)
  }

  /// Adds a file of text.
  package mutating func add(_ name: String, _ text: String) { add(name, Data(text.utf8)) }

  /// Adds a link.
  package mutating func link(_ name: String, to target: String, isHard: Bool) {
    add(name, Data(), type: isHard ? "1" : "2", target: target)
  }

  /// With the two blocks of zeros that end a tar.
  package var finished: Data { bytes + Data(count: 1024) }
}
