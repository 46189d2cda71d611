import CommandSupport
import Parity
import Testing

@Suite("Options of parity")
struct ParityOptionsTests {
  @Test func toleranceFollowsPrecision() throws {
    #expect(try ParityOptions(golden: "g").tolerance == 1e-4)
    #expect(try ParityOptions(golden: "g", tolerance: 0.5).tolerance == 0.5)
    #expect(throws: OptionError.self) { try ParityOptions(golden: "g", tolerance: 0) }
    #expect(throws: OptionError.self) { try ParityOptions(golden: "g", tolerance: .nan) }
    #expect(throws: OptionError.self) { try ParityOptions(golden: "g", threads: -1) }
    #expect(try ParityOptions(golden: "g", precision: .bf16).tolerance == 3e-2)
  }
}
