import ArgumentParser
import CommandSupport
import Configuration
import Evaluation

/// How images become features: the same flags for `evaluate` and `data stats`.
struct FeatureArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "builtin: a random network that needs no file; or FID-Inception's weights, from"
        + " launch/convert-inception.py.", valueName: "builtin|file"))
  var features = "builtin"

  @Option(
    name: .customLong("protocol"),
    help: ArgumentHelp(
      "How images are brought to Inception's input: tf1, clean or pytorch-fid.", valueName: "name"))
  var protocolName = "tf1"

  @Flag(name: .long, help: "Take images of different sizes, each brought to the input on its own.")
  var mixedSizes = false

  func options(batch: Int = 16) throws(OptionError) -> FeatureOptions {
    try FeatureOptions(
      features: features, protocolName: protocolName, mixedSizes: mixedSizes, batch: batch)
  }
}
