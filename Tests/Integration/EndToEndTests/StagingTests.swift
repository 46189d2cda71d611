import Foundation
import ProcessSupport
import SystemSupport
import Testing

extension EndToEndTests {
  /// An archive is unpacked once for all ranks of a node.
  @Suite("Data staged once a node") struct StagingTests {
    let scene: Scene
    let archive: String

    init() throws {
      scene = try Scene()
      try Pictures.writeCIFAR(scene.path("data"))
      archive = scene.path("cifar.tar.gz")
      let outcome = try Command(["tar", "czf", archive, "-C", scene.path("data"), "."]).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
    }

    private func settings(_ path: String) -> [String] {
      ["data.kind=cifar10", "data.path=\(path)", "model.resolution=32", "model.blocks=1,1"]
    }

    @Test func anArchiveTeachesWhatItsFolderDoes() throws {
      let (folder, packed) = (RunFolder(scene, "folder"), RunFolder(scene, "packed"))
      for (run, path) in [(folder, scene.path("data")), (packed, archive)] {
        let outcome = try Diffit.training(run.path, settings(path) + ["train.images=48"])
          .onRanks(4).run()
        try #require(outcome.code == 0, "\(outcome.errors)")
      }
      try expectSameBits(packed, folder, images: 48)
      // One rank unpacks for itself, and finds the same data set: its run can go on from the other's.
      let alone = try Diffit.training(packed.path, settings(archive) + ["train.images=64"]).run()
      #expect(alone.code == 0, "\(alone.errors)")
    }

    @Test func theRanksOfANodeMapOneFile() throws {
      let command = try Diffit.training(
        scene.path("run"), settings(archive) + ["train.images=1M"]
      ).onRanks(4)
      let outcome = try command.run { running in
        try running.wait(until: "training") { scene.exists("run/stats.jsonl") }
        let ranks = try running.children(of: running.processID)
        let files = ranks.map { rank in
          ProcFS.text("/proc/\(rank)/maps").split(separator: "\n")
            .filter { $0.contains("/memfd:diffit-") }
            .map { $0.split(separator: " ", omittingEmptySubsequences: true) }
        }
        #expect(files.count == 4 && files.allSatisfy { $0.count == 1 })
        // Fields of a mapping: range, rights, offset, device, inode, path.
        #expect(Set(files.flatMap { $0 }.map { $0[4] }).count == 1)
        #expect(files.flatMap { $0 }.allSatisfy { $0[1] == "r--s" })
        try running.signal(SIGUSR1)
      }
      #expect(outcome.code == 64, "\(outcome.errors)")
    }

    @Test func aBrokenArchiveEndsAllRanks() throws {
      let file = try FileHandle(forWritingTo: URL(fileURLWithPath: archive))
      try file.truncate(atOffset: 300)
      for ranks in [0, 2] {
        let outcome = try Diffit.training(scene.path("run"), settings(archive)).onRanks(ranks).run()
        #expect(outcome.code == 1 && outcome.complaints.count == 1, "\(outcome.errors)")
        #expect(outcome.errors.contains("cannot read \(archive) as a .tar or .tar.gz"))
      }
      #expect(!scene.exists("run"))
    }
  }
}
