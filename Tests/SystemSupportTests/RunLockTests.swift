import ErrorSupport
import FixtureSupport
import Foundation
import SystemSupport
import Testing

@Suite struct RunLockTests {
  let scratch: TemporaryFolder

  init() throws { scratch = try TemporaryFolder() }

  @Test func secondJobIsRefusedAndToldWho() throws {
    let lock = try RunLock(directory: scratch.url)
    guard
      case FileError.locked(let directory, let holder)? = thrownError(by: {
        _ = try RunLock(directory: scratch.url)
      })
    else {
      Issue.record("a second lock was given")
      return
    }
    #expect(directory == scratch.url.path)
    #expect(holder.hasPrefix("process \(getpid()) on "))
    lock.release()
    _ = try RunLock(directory: scratch.url)
  }

  @Test func lockEndsWithItsOwner() throws {
    do { _ = try RunLock(directory: scratch.url) }
    _ = try RunLock(directory: scratch.url)
  }

  @Test func lockOfAKilledProcessIsFree() throws {
    let path = scratch.file(RunLock.fileName).path
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    holder.arguments = ["--exclusive", "--no-fork", path, "sleep", "60"]
    try holder.run()
    defer { holder.terminate() }
    var refused = false
    for _ in 0..<500 where !refused {
      do {
        try RunLock(directory: scratch.url).release()
      } catch { refused = true }
      usleep(10_000)
    }
    #expect(refused, "the other process never held the lock")
    kill(holder.processIdentifier, SIGKILL)
    holder.waitUntilExit()
    _ = try RunLock(directory: scratch.url)
  }

  @Test func directoryThatIsNotThere() {
    let missing = scratch.file("none")
    #expect(
      thrownError { _ = try RunLock(directory: missing) }
        == FileError.system(operation: "create", path: missing.path + "/.lock", code: ENOENT))
  }
}
