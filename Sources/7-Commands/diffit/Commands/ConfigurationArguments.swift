import ArgumentParser

/// Changes to single settings.
struct OverrideArguments: ParsableArguments {
  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Change one setting, as in optimizer.lr=2e-4 or model.blocks=2,2,2; may be repeated.",
      valueName: "key=value"))
  var texts: [String] = []
}

/// The network of a file of weights, for commands that otherwise take a run.
struct NetworkArguments: ParsableArguments {
  @Option(
    name: .long,
    help: ArgumentHelp(
      "Settings that name the network of a .safetensors file which holds none itself.",
      valueName: "file"))
  var config: String?
}

/// Settings for commands that do without a file of them.
struct ConfigurationArguments: ParsableArguments {
  @Option(
    name: .customLong("config"),
    help: ArgumentHelp(
      "Settings, as YAML. (default: those of configs/cifar10.yaml)", valueName: "file"))
  var file: String?

  @OptionGroup var overrides: OverrideArguments
}
