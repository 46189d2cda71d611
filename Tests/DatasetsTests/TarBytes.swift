import Foundation

/// A tar as `tar` writes it (POSIX ustar).
struct TarBytes {
  private var bytes = Data()

  mutating func add(_ name: String, _ content: Data, type: String = "0") {
    var header = Data(count: 512)
    func put(_ text: String, _ offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: Data(text.utf8))
    }
    func octal(_ number: Int, _ digits: Int) -> String {
      let text = String(number, radix: 8)
      return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, 0)
    put("0000644", 100)
    put(octal(content.count, 11), 124)
    put(octal(0, 11), 136)
    put("        ", 148)
    put(type, 156)
    put("ustar", 257)
    put("00", 263)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", 148)
    bytes += header + content + Data(count: (512 - content.count % 512) % 512)
  }

  mutating func add(_ name: String, _ text: String) { add(name, Data(text.utf8)) }

  /// With the two blocks of zeros that end a tar.
  var finished: Data { bytes + Data(count: 1024) }
}
