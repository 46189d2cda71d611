import CMPI

/// What the linked MPI library reports about itself; works without a running job.
package enum MPILibrary {
  /// The first line of `MPI_Get_library_version`, for instance "Open MPI v4.1.4, package: ...".
  package static var version: String {
    let all = text { cmpi_version($0, $1) } ?? "unknown"
    return String(all.prefix { $0 != "\n" })
  }

  /// A text setting of the library, such as Open MPI's `pml` or `btl`, as set by files, the
  /// environment and the command line; nil if the library has no such setting.
  package static func setting(_ name: String) -> String? {
    name.withCString { name in text { cmpi_setting(name, $0, $1) } }
  }

  /// The library's explanation of an error code.
  static func explanation(of status: Int32) -> String {
    text { cmpi_error_text(status, $0, $1) } ?? "error \(status)"
  }

  private static func text(_ fill: (UnsafeMutableRawPointer, Int) -> Int32) -> String? {
    withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      guard let start = buffer.baseAddress, fill(start, buffer.count) == 0 else { return nil }
      return String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
