import Foundation
import SystemSupport
import TensorCore
import Testing

@Suite struct CoreTests {
  @Test func coreListsAreParsed() {
    #expect(CoreSet("0-3,8,10-11\n")?.numbers == [0, 1, 2, 3, 8, 10, 11])
    #expect(CoreSet("")?.numbers == [])
    for malformed in ["3-1", "a", "1-2-3", "-4", "1-", "0-99999999"] {
      #expect(CoreSet(malformed) == nil, "\(malformed)")
    }
  }

  @Test func thisProcessRunsOnOnlineCores() throws {
    let allowed = try #require(CoreSet.allowed)
    #expect(allowed.numbers.count == ThreadPool.availableCores)
    #expect(allowed.numbers.isSubset(of: try #require(CoreSet.online).numbers))
  }

  @Test func controlGroupLimitsAreTheTightestOnTheWayUp() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("groups-\(UUID())")
    defer { try? FileManager.default.removeItem(at: root) }
    let inner = root.appendingPathComponent("job/step")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    let write = { (text: String, path: String) in
      try text.write(to: root.appendingPathComponent(path), atomically: true, encoding: .utf8)
    }
    try write("150000 100000\n", "job/cpu.max")
    try write("max 100000\n", "job/step/cpu.max")
    try write("max\n", "job/memory.max")
    try write("4096\n", "job/step/memory.max")
    let group = ControlGroup(root: root.path, membership: "0::/job/step\n")
    #expect(group.cpuLimit == 1.5)
    #expect(group.memoryLimit == 4096)
    let above = ControlGroup(root: root.path, membership: "0::/\n")
    #expect(above.cpuLimit == nil && above.memoryLimit == nil)
  }
}
