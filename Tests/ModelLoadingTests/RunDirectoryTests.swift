import Configuration
import FixtureSupport
import Foundation
import ModelLoading
import Testing

@Suite("A run's directory")
struct RunDirectoryTests {
  @Test func aFileOfSettingsBelongsToTheRunAroundIt() throws {
    let folder = try TemporaryFolder()
    let config = try folder.write("model: {}\n", "run/config.yaml")
    #expect(RunDirectory(ownerOf: config) == nil)
    try folder.makeFolder("run/checkpoints")
    #expect(RunDirectory(ownerOf: config)?.path == "\(folder.path)/run")
    let other = try folder.write("model: {}\n", "run/other.yaml")
    #expect(RunDirectory(ownerOf: other) == nil)
    // A run that ended before its first checkpoint has the file of its lock.
    let early = try folder.write("model: {}\n", "early/config.yaml")
    try folder.write("", "early/.lock")
    #expect(RunDirectory(ownerOf: early)?.path == "\(folder.path)/early")
  }

  /// Four bytes per element of weights, two moments and the averages.
  @Test func roomOfARun() throws {
    var configuration = Configuration()
    configuration.train.images = 1_000
    (configuration.checkpoint.every, configuration.checkpoint.keep) = (100, 3)
    configuration.sample.every = 0
    func disk() -> RunDisk { RunDisk(configuration, elements: 1_000) }
    #expect(disk().checkpointBytes == 16_000 && disk().checkpoints == 4)
    #expect(disk().gridBytes == 0)
    configuration.checkpoint.keep = 0
    #expect(disk().checkpoints == 10)
    (configuration.checkpoint.keep, configuration.checkpoint.keepEvery) = (2, 5)
    #expect(disk().checkpoints == 5)
    configuration.checkpoint.every = 0
    #expect(disk().checkpoints == 1)
    configuration.sample.every = 500
    configuration.sample.count = 2
    // Two moments of grids, from the weights and from one average.
    #expect(disk().gridBytes == 2 * 2 * 2 * 3 * 32 * 32)
    #expect(disk().totalBytes > disk().checkpointBytes + disk().gridBytes)
  }

  @Test func namesOfClasses() {
    let names = ["a", "b, c", "d\"e", "naïve\n"]
    let text = ManifestKey.text(ofClassNames: names)
    #expect(ManifestKey.classNames(text) == names)
    for damaged in [nil, "", "a,b", "[1, 2]", "{}"] {
      #expect(ManifestKey.classNames(damaged) == nil)
    }
  }

  /// What an export carries is a configuration, without what belongs to a job or a machine.
  @Test func settingsOfAnExport() throws {
    var configuration = Configuration()
    configuration.train.threads = 7
    configuration.checkpoint.keep = 9
    configuration.model.classes = 10
    configuration.optimizer.lr = 0.5
    let text = configuration.exportedYAML
    #expect(!text.contains("checkpoint:") && !text.contains("parallel:"))
    let read = try Configuration(yaml: text, name: "export")
    #expect(read.train.threads == 0 && read.checkpoint == Configuration().checkpoint)
    #expect(read.model == configuration.model && read.optimizer == configuration.optimizer)
  }
}
