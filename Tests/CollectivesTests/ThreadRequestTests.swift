import Collectives
import SystemSupport
import Testing

@Suite("Threads that the environment asks for")
struct ThreadRequestTests {
  @Test(arguments: [("0", 0), ("1", 1), ("4096", 4_096), ("", 0)])
  func numbers(text: String, count: Int) throws {
    #expect(try ThreadRequest(["DIFFIT_THREADS": text]).count == count)
    #expect(try ThreadRequest([:]).count == 0)
  }

  @Test(arguments: ["abc", "4097", "-1", "2.0", " 2", "99999999999999999999"])
  func whatIsNoNumberOfThreads(text: String) {
    let error = #expect(throws: ThreadRequestError.self) {
      try ThreadRequest(["DIFFIT_THREADS": text])
    }
    #expect(error?.description.hasPrefix("DIFFIT_THREADS \(text): expected ") == true)
    #expect(error?.exitCode == 2)
  }

  /// Ranks and probes that do not begin with the program's own check are refused too.
  @Test func aRanksShareIsRefused() {
    #expect(throws: CommunicationError.self) {
      try CoreShare(of: SingleCommunicator(), environment: ["DIFFIT_THREADS": "abc"])
    }
  }
}
