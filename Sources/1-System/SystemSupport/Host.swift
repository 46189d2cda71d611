import Foundation

/// The machine that this process runs on.
package enum Host {
  /// Its name as the kernel has it (`gethostname`), so that no name server is asked.
  package static var name: String {
    var text = [CChar](repeating: 0, count: 256)
    guard gethostname(&text, text.count - 1) == 0 else { return "unknown host" }
    return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
