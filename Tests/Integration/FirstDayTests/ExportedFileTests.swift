import FileFormats
import Foundation
import ModelLoading
import ProcessSupport
import Testing

extension FirstDayTests {
  /// An export is one file that stands for the run.
  @Suite struct ExportedFileTests {
    let scene: Scene

    init() throws {
      scene = try Scene()
      try scene.train()
      try scene.good("\"$diffit\" export run --ema ema --out model.safetensors")
    }

    @Test func samplesAreThoseOfTheRun() throws {
      for (from, to) in [("run", "a"), ("model.safetensors", "b")] {
        try scene.good("\"$diffit\" sample \(from) --seeds 0-3 --steps 3 --out \(to)")
      }
      for seed in 0..<4 {
        let name = "000000/00000\(seed).png"
        #expect(try scene.data("a/\(name)") == scene.data("b/\(name)"))
      }
      let record = try scene.json("b/samples.json")
      #expect(record["checkpoint"] as? String == "model.safetensors")
      #expect(record["weights"] as? String == "ema.ema" && record["images_seen"] as? Int == 64)
      // Another file's samples do not belong into the folder.
      try scene.good("\"$diffit\" export run --out raw.safetensors")
      try scene.refused(
        2, "\"$diffit\" sample raw.safetensors --seeds 0-3 --steps 3 --out b", "another way")
    }

    @Test func otherCommandsTakeTheFileToo() throws {
      let losses = try ["run", "model.safetensors"].map { path in
        try scene.good("\"$diffit\" evaluate \(path) --metrics loss --samples 32 --json loss.json")
        return try scene.json("loss.json")["metrics"] as? [String: Double]
      }
      #expect(losses[0] == losses[1] && losses[0]?["loss"] != nil)
      // An export of an export is the export.
      try scene.good("\"$diffit\" export model.safetensors --out again.safetensors")
      #expect(try scene.data("again.safetensors") == scene.data("model.safetensors"))
      let text = try scene.good("\"$diffit\" inspect model.safetensors").output
      #expect(text.contains("diffit.images_seen: 64") && text.contains("\n    resolution: 16\n"))
    }

    @Test func aRunStartsFromTheFile() throws {
      try scene.good("\"$diffit\" train --init model.safetensors --run new --set train.images=16")
      let settings = try scene.text("new/config.yaml")
      #expect(settings.contains("channels: [16, 32]") && settings.contains("batch: 16"))
      try scene.good("\"$diffit\" train --init model.safetensors --set train.images=16")
      #expect(scene.exists("runs/model/stats.jsonl"))
    }

    /// What differs from one job to the next does not show.
    @Test func theBytesDoNotTellOfRanks() throws {
      try scene.good(
        "$mpirun -n 2 \"$diffit\" train --config \"$config\" --run two \(Scene.small)"
          + " --resume run --set train.threads=1 --set log.every=32")
      try scene.good("\"$diffit\" export two --ema ema --out two.safetensors")
      #expect(try scene.data("two.safetensors") == scene.data("model.safetensors"))
    }

    @Test func aFileWithoutSettingsNeedsThem() throws {
      try scene.good("\"$diffit\" export run --ema ema --bare --out bare.safetensors")
      #expect(
        try SafetensorsFile(path: scene.path("bare.safetensors")).metadata == ["format": "pt"])
      for command in ["sample bare.safetensors --out x", "evaluate bare.safetensors"] {
        try scene.refused(2, "\"$diffit\" \(command)", "diffit.config", "--config")
      }
      try scene.good(
        "\"$diffit\" sample bare.safetensors --config run/config.yaml --seeds 0-1 --steps 3 --out x"
          + " && \"$diffit\" sample model.safetensors --seeds 0-1 --steps 3 --out y")
      #expect(try scene.data("x/000000/000001.png") == scene.data("y/000000/000001.png"))
      try scene.refused(
        2, "\"$diffit\" sample run --config run/config.yaml --out z", "--config", ".safetensors")
      // The settings of another network.
      try scene.refused(
        1, "\"$diffit\" sample model.safetensors --config \"$root/configs/cifar10.yaml\" --out z",
        "not the weights of this model")
    }

    @Test func damagedSettingsAreNamed() throws {
      let file = try SafetensorsFile(path: scene.path("model.safetensors"))
      var metadata = file.metadata
      metadata[WeightsFile.Key.configuration] = "model: {kind: nothing}"
      let writer = try SafetensorsWriter(
        scene.folder.file("bad.safetensors"),
        file.entries.map { .init($0.name, $0.dtype, $0.shape) }, metadata: metadata)
      for entry in file.entries {
        try file.bytes(entry.name).withUnsafeBytes { try writer.write($0) }
      }
      try writer.finish()
      try scene.refused(
        2, "\"$diffit\" sample bad.safetensors --out x", "bad.safetensors (diffit.config)",
        "model.kind")
    }
  }
}
