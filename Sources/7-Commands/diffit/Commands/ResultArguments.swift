import ArgumentParser

/// Where results go beside those for people.
struct ResultArguments: ParsableArguments {
  @Option(
    name: .long, help: ArgumentHelp("Results for machines; -: standard output.", valueName: "file"))
  var json: String?
}
