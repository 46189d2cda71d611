import Collectives
import Testing

/// The datagrams that ranks send beside MPI.
@Suite struct HeartbeatTests {
  private let token = (0..<UInt8(Heartbeat.tokenSize)).map { $0 * 7 }
  private let beat = Heartbeat(
    rank: 3, count: 12,
    state: Activity.State(
      images: 1280, phase: .backward, operation: "reduce", collectives: 1234, changes: 99_999),
    still: 1.25)

  @Test func whatIsSentArrives() {
    #expect(Heartbeat(beat.encoded(token), token: token) == beat)
    var idle = beat
    idle.state.operation = nil
    #expect(Heartbeat(idle.encoded(token), token: token) == idle)
  }

  @Test func aLongNameIsCut() throws {
    var long = beat
    long.state.operation = String(repeating: "n", count: 100)
    let bytes = long.encoded(token)
    #expect(bytes.count == Heartbeat.capacity)
    let read = try #require(Heartbeat(bytes, token: token))
    #expect(read.state.operation == String(repeating: "n", count: 64))
  }

  @Test func anotherJobsDatagramIsIgnored() {
    for position in token.indices {
      var other = token
      other[position] ^= 1
      #expect(Heartbeat(beat.encoded(other), token: token) == nil)
    }
  }

  @Test func aShortDatagramIsIgnored() {
    let bytes = beat.encoded(token)
    for count in 0..<bytes.count - "reduce".utf8.count {
      #expect(Heartbeat(bytes[..<count], token: token) == nil, "\(count) bytes")
    }
  }

  @Test func aLongDatagramIsIgnored() {
    let bytes = beat.encoded(token)
    #expect(Heartbeat(bytes + [UInt8](repeating: 65, count: 200), token: token) == nil)
  }

  @Test func anUnknownPhaseIsIgnored() {
    var bytes = beat.encoded(token)
    bytes[Heartbeat.tokenSize + 48] = 200
    #expect(Heartbeat(bytes, token: token) == nil)
  }

  @Test func negativeNumbersAreIgnored() {
    for number in 0..<6 {
      var bytes = beat.encoded(token)
      bytes[Heartbeat.tokenSize + 8 * number + 7] = 0x80
      #expect(Heartbeat(bytes, token: token) == nil, "number \(number)")
    }
  }
}

@Suite struct ActivityTests {
  @Test func phasesAndImagesAreSeen() {
    let activity = Activity()
    #expect(activity.state == Activity.State())
    activity.enter(.forward)
    activity.reach(images: 64)
    #expect(activity.state == Activity.State(images: 64, phase: .forward, changes: 2))
    #expect(!activity.state.isWaiting)
    activity.enter(.communication)
    #expect(activity.state.isWaiting)
  }

  @Test func oneRankHasAnActivityToo() throws {
    let communicator: any Communicator = SingleCommunicator()
    communicator.activity.enter(.saving)
    #expect(communicator.activity.state.phase == .saving)
  }
}
