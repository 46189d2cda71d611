import CommandSupport
import Configuration

/// What `diffit plan` is asked to do.
package struct PlanOptions: Equatable, Sendable {
  /// How long the run may be.
  package enum Budget: Equatable, Sendable {
    /// So many images.
    case images(Int)
    /// So many hours of this machine.
    case hours(Double)
  }

  /// The file of the settings to begin with. Nil: the defaults.
  package let config: String?
  /// `KEY=VALUE` texts, in order.
  package let overrides: [String]
  /// How long the run may be.
  package let budget: Budget
  /// The file to write. Nil: standard output.
  package let output: String?

  /// Checks the options.
  ///
  /// - Parameters:
  ///   - images: a number of images, such as `1M`.
  ///   - hours: hours of this machine. Either this or `images` is given.
  package init(
    config: String? = nil, overrides: [String] = [], images: String? = nil, hours: Double? = nil,
    output: String? = nil
  ) throws(OptionError) {
    (self.config, self.overrides, self.output) = (config, overrides, output)
    switch (images, hours) {
    case (let text?, nil):
      guard let count = ImageCount.parse(text), count >= 1_000 else {
        throw OptionError(
          option: "--images", found: text, expected: "a number of images such as 500k, at least 1k")
      }
      budget = .images(count)
    case (nil, let hours?):
      try require(
        hours > 0 && hours <= 100_000, "--hours", hours, expected: "above 0, at most 100000")
      budget = .hours(hours)
    case (let text?, .some):
      throw OptionError(option: "--images", found: text, expected: "either --images or --hours")
    case (nil, nil):
      throw OptionError(
        option: "--images", found: "(none)",
        expected: "a number of images, or --hours: how long the run may be")
    }
    try require(output != "", "--out", "\"\"", expected: "a file")
  }
}
