import Foundation
import ProcessSupport
import Testing

extension RunFilesTests {
  /// Files that are something else than what a command reads, and values that no command can take.
  @Suite("Other files") struct OtherFileTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    /// A pipe is waited for by whoever opens it.
    @Test(arguments: ["inspect", "evaluate", "vae", "settings"]) func pipes(command: String) throws
    {
      let pipe = scene.path("pipe")
      try #require(mkfifo(pipe, 0o600) == 0)
      let reader =
        switch command {
        case "inspect": try scene.diffit("inspect", pipe)
        case "settings": try scene.diffit("config", "--config", pipe)
        case "evaluate":
          try scene.diffit(
            "evaluate", scene.path(""), "--reference", pipe, "--metrics", "fd_random")
        default:
          try scene.diffit(
            "data", "encode", scene.path(""), "--vae", pipe, "--out", scene.path("out"),
            "--resolution", "8")
        }
      var short = reader
      short.seconds = 20
      let outcome = try short.run()
      #expect(outcome.code == 1 || outcome.code == 2, "\(outcome)")
      #expect(outcome.complaints.count == 1)
    }

    @Test func valuesBeyondBounds() throws {
      let run = ["sample", "run", "--seeds", "0", "--out", scene.path("out")]
      let image = ["noise", "image.png", "--out", scene.path("n.png")]
      for (command, expected) in [
        (run + ["--steps", "2147483648"], "--steps 2147483648: expected 1 to 100000"),
        (run + ["--steps", "9223372036854775807"], "expected 1 to 100000"),
        (run + ["--batch", "9223372036854775807"], "expected 1 to 65536"),
        (image + ["--timesteps", "0", "--steps", "100000"], "--steps 100000: expected 2 to 16000"),
        (image + ["--levels", "1e308"], "noise levels from 0 to 1e30"),
      ] {
        let outcome = try Command([Command.product("diffit")] + command).run()
        #expect(outcome.code == 2 && outcome.complaints.count == 1, "\(outcome)")
        #expect(outcome.errors.contains(expected), "\(outcome.errors)")
      }
      let training = try scene.training(
        "diffusion.kind=ddpm", "diffusion.steps=100000", "data.augment=0", options: ["--dry-run"])
      try expectRefusal(2, training, saying: "diffusion.steps is 100000", "at most 16000")
    }

    /// With less, a library asked again and again for memory that it did not get.
    @Test(arguments: ["config", "train"]) func littleAddressSpace(command: String) throws {
      let words =
        command == "config"
        ? try scene.diffit("config").words : try scene.training(options: ["--dry-run"]).words
      var limited = Command(["bash", "-c", "ulimit -v 300000; exec \"$@\"", "bash"] + words)
      limited.seconds = 20
      try expectRefusal(1, limited, saying: "ulimit -v: 300000 KiB of address space")
    }

    /// The same settings with the cosine schedule are taken.
    @Test func theMostTimesteps() throws {
      for (schedule, steps) in [("linear", 16_000), ("cosine", 100_000)] {
        let outcome = try scene.training(
          "diffusion.kind=ddpm", "diffusion.steps=\(steps)", "diffusion.schedule=\(schedule)",
          "data.augment=0", "train.images=32", "sample.every=32", "sample.count=2",
          "sample.steps=3"
        ).run()
        #expect(outcome.code == 0 && outcome.complaints.isEmpty, "\(outcome)")
        try FileManager.default.removeItem(atPath: scene.run)
      }
    }
  }
}
