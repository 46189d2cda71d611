import Foundation
import Testing

/// Runs of a reader on damaged inputs.
package enum Fuzz {
  /// Inputs per reader: some hundred, or as many as the variable `DIFFIT_FUZZ` says.
  package static var rounds: Int {
    ProcessInfo.processInfo.environment["DIFFIT_FUZZ"].flatMap { Int($0) } ?? 200
  }

  /// Whether a person asked for the run, with nothing else in the process: only then time and memory
  /// say something about the reader.
  private static var isAlone: Bool {
    ProcessInfo.processInfo.environment["DIFFIT_FUZZ"] != nil
  }

  /// Calls `read` with a damaged input, again and again. It may succeed, or throw an error of one line
  /// that names the file or says what is wrong. A trap ends the tests; reads of 10 s, and of 1 GiB
  /// beyond the input, are failures.
  ///
  /// - Parameters:
  ///   - name: of the reader; it decides the damage.
  ///   - mentions: of which one is in each refusal, such as the file's name.
  /// - Returns: how many inputs were refused.
  @discardableResult
  package static func run(
    _ name: String, mentioning mentions: [String], at location: SourceLocation = #_sourceLocation,
    read: (inout Mutator) throws -> Void
  ) -> Int {
    let (begun, before) = (Date(), peakMemory)
    var (refused, longest) = (0, 0.0)
    for round in 0..<rounds {
      var mutator = Mutator(name, round: round)
      let start = Date()
      do {
        try read(&mutator)
      } catch {
        refused += 1
        let text = "\(error)"
        #expect(
          !text.contains(where: \.isNewline) && text.count < 4000,
          "\(name) \(round): one line: \(text.prefix(4000))", sourceLocation: location)
        #expect(
          mentions.contains(where: text.contains), "\(name) \(round): names no file: \(text)",
          sourceLocation: location)
      }
      longest = max(longest, Date().timeIntervalSince(start))
    }
    #expect(
      longest < (isAlone ? 10 : 100), "\(name): a read took \(longest) s", sourceLocation: location)
    let grown = peakMemory - before
    #expect(
      !isAlone || grown < 1 << 30, "\(name): \(grown) bytes of memory", sourceLocation: location)
    if isAlone {
      let seconds = String(
        format: "%.1f s, longest %.3f s", Date().timeIntervalSince(begun), longest)
      print("\(name): \(rounds) inputs, \(refused) refused, \(seconds), \(grown >> 20) MiB more")
    }
    return refused
  }

  /// The most memory that this process has held, in bytes (`VmHWM`).
  private static var peakMemory: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) << 10
  }
}
