import FixtureSupport
import Foundation
import ProcessSupport
import Testing

/// How the program deals with what the system and the shell give it: threads, standard streams and
/// arguments.
@Suite("The program as a process", .serialized) final class ProcessTests {
  private let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("process-\(UUID())")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  /// Runs a line of the shell in which $diffit is the program.
  private func shell(_ line: String, seconds: Int = 60) throws -> Outcome {
    var command = Command(["sh", "-c", line])
    command.environment = [
      "diffit": try Command.product("diffit"), "folder": folder.path,
      "config": Repository.path("configs/debug.yaml"),
    ]
    command.seconds = seconds
    return try command.run()
  }

  // MARK: Threads

  private static var canLimit: Bool {
    getuid() == 0
      && ["/usr/bin/setpriv", "/usr/bin/prlimit"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
      }
  }

  /// An ordinary user's limit holds for threads too; the superuser has none, so the test becomes one.
  @Test(
    .enabled(if: canLimit, "needs the superuser, setpriv and prlimit"),
    arguments: [2, 3, 4, 5, 6, 7, 8, 9])
  func aThreadThatTheSystemRefuses(limit: Int) throws {
    // The user has to reach the program and the run's folder.
    let outcome = try shell(
      """
      chmod 777 "$folder" && cp "$diffit" "$folder/diffit" && cp "$config" "$folder/debug.yaml" &&
      exec setpriv --reuid=65534 --regid=65534 --clear-groups prlimit --nproc=\(limit) \
      "$folder/diffit" train --config "$folder/debug.yaml" --run "$folder/run" \
      --set train.threads=4 --set train.images=64 --set sample.every=0
      """)
    // Some limits are enough; what must not be is a hang or a trap.
    #expect([0, 1].contains(outcome.code), "code \(outcome.code): \(outcome.errors)")
    if outcome.code == 1 || limit <= 5 {
      #expect(outcome.code == 1 && outcome.errors.contains("(ulimit -u)"), "\(outcome.errors)")
    }
  }

  // MARK: Standard streams

  @Test(arguments: ["2>&-", "2>/dev/full", ">&- 2>&-", "<&- >&- 2>&-"])
  func closedOrFullStandardErrorKeepsTheCode(streams: String) throws {
    #expect(try shell("\"$diffit\" train --config \"$folder/none.yaml\" \(streams)").code == 2)
    #expect(try shell("\"$diffit\" inspect \"$folder/none\" \(streams)").code == 1)
    #expect(try shell("\"$diffit\" nosuch \(streams)").code == 2)
  }

  @Test(arguments: ["train --config \"$config\" --dry-run", "--help", "bench --images 1 --batch 1"])
  func aFullStandardOutputIsAnError(command: String) throws {
    let outcome = try shell("\"$diffit\" \(command) >/dev/full")
    #expect(outcome.code == 1 && outcome.errors.contains("standard output"), "\(outcome.errors)")
  }

  /// A file that is opened while a stream is closed must not get the stream's number.
  @Test func nothingIsWrittenIntoAFileInPlaceOfAStream() throws {
    let command = "train --config \"$config\" --run \"$folder/run\" --set train.images=32"
    #expect(try shell("\"$diffit\" \(command) --set sample.every=0 <&- >&-").code == 0)
    let log = try String(contentsOfFile: path("run/log.txt"), encoding: .utf8)
    let config = try String(contentsOfFile: path("run/config.yaml"), encoding: .utf8)
    #expect(log.contains("done: 32 images") && config.hasPrefix("model:"))
    #expect(!config.contains("images/s") && !config.contains("training  "))
  }

  // MARK: Arguments

  private static let compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// A library that changes the environment before Swift starts, as site profilers do.
  @Test(.enabled(if: compiler != nil, "needs a C compiler"))
  func argumentsSurviveALibraryThatChangesTheEnvironment() throws {
    let compiler = try #require(Self.compiler)
    try """
    #include <stdlib.h>
    __attribute__((constructor)) static void begin(void) { setenv("SOME_TOOL", "1", 1); }
    """.write(toFile: path("preload.c"), atomically: true, encoding: .utf8)
    let built = try shell("\(compiler) -shared -fPIC -o \"$folder/p.so\" \"$folder/preload.c\"")
    try #require(built.code == 0, "\(built.errors)")
    let outcome = try shell(
      "LD_PRELOAD=\"$folder/p.so\" \"$diffit\" train --config \"$config\" --dry-run")
    #expect(outcome.code == 0 && outcome.output.contains("# parameters"), "\(outcome.errors)")
  }
}
