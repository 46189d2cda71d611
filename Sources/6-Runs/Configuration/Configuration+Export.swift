extension Configuration {
  /// The sections that say how a job ran, and nothing about the network that came of it.
  private static let sectionsOfJobs = ["parallel", "checkpoint", "metrics", "log"]

  /// The settings that an export carries, as YAML: how the network is made, how it was trained and
  /// how it is sampled. What differs from machine to machine is left out, so that the same run on
  /// other ranks gives the same export.
  package var exportedYAML: String {
    var configuration = self
    configuration.train.threads = 0
    return configuration.yaml(
      of: Configuration.sections.filter { !Configuration.sectionsOfJobs.contains($0.name) })
  }
}
