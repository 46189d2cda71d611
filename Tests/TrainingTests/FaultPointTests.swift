import CommandSupport
import Testing
import Training

/// The variable by which tests ask for faults.
@Suite struct FaultPointTests {
  private func fault(_ text: String?) throws -> FaultPoint? {
    try FaultPoint(environment: text.map { [FaultPoint.variable: $0] } ?? [:])
  }

  @Test func unset() throws {
    #expect(try fault(nil) == nil)
  }

  @Test(arguments: [
    ("stop", FaultPoint.Kind.stop, 0, nil as Int?), ("kill@images=96", .kill, 96, nil),
    ("nan@images=96,rank=1", .nan, 96, 1), ("slow=0.2@rank=3", .slow(0.2), 0, 3),
    ("kill-in-save@rank=0,images=1", .killInSave, 1, 0), ("hang", .hang, 0, nil),
    ("mute", .mute, 0, nil),
  ])
  func wellFormed(text: String, kind: FaultPoint.Kind, images: Int, rank: Int?) throws {
    let fault = try #require(try fault(text))
    #expect(fault.kind == kind && fault.images == images && fault.rank == rank)
  }

  @Test(arguments: [
    "", "crash", "stop@", "stop@images", "stop@images=", "stop@images=-1", "stop@images=x",
    "stop@ranks=1", "stop@images=1,", "slow", "slow=", "slow=0", "slow=-1", "slow=nan",
    "slow=100000", "kill@rank=1@images=2",
  ])
  func malformed(text: String) {
    #expect(throws: OptionError.self) { try fault(text) }
  }
}
