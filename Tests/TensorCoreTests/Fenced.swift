import Foundation

/// Zeroed memory that ends at a page nobody may touch: reading past its end ends the process.
final class Fenced {
  let start: UnsafeMutableRawPointer
  private let pages: UnsafeMutableRawPointer
  private let length: Int

  struct MappingFailed: Error {}

  init(bytes: Int) throws {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let used = (bytes + page - 1) / page * page
    length = used + page
    guard
      let pages = mmap(
        nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | Int32(MAP_ANONYMOUS), -1, 0),
      pages != MAP_FAILED
    else { throw MappingFailed() }
    self.pages = pages
    start = pages + (used - bytes)
    guard mprotect(pages + used, page, PROT_NONE) == 0 else { throw MappingFailed() }
  }

  deinit { munmap(pages, length) }
}
