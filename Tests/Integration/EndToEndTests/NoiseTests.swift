import FileFormats
import Foundation
import Images
import Testing

extension EndToEndTests {
  /// `diffit noise`: the same draw of noise in EDM's scale and in DDPM's.
  @Suite struct NoiseTests {
    let scene: Scene
    /// y of every pixel.
    private let grey = 64.0 / 127.5 - 1

    init() throws {
      scene = try Scene()
      try ImageFile.writePNG(
        RGBImage(width: 64, height: 64, pixels: [UInt8](repeating: 64, count: 64 * 64 * 3)),
        to: scene.path("grey.png"))
    }

    /// The pixels of each image in the figure.
    private func figure(_ options: String...) throws -> (mean: [Double], deviation: [Double]) {
      let outcome = try Diffit.command(
        ["noise", scene.path("grey.png"), "--out", scene.path("noise.png")] + options
      ).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      let figure = try ImageFile.read(scene.path("noise.png"))
      let count = figure.width / 65  // and a pixel of background around each
      #expect(figure.height == 66 && figure.width == 65 * count + 1)
      var (means, deviations): ([Double], [Double]) = ([], [])
      for picture in 0..<count {
        var values: [Double] = []
        for row in 0..<64 {
          let start = ((row + 1) * figure.width + picture * 65 + 1) * 3
          values += figure.pixels[start..<start + 192].map { Double($0) / 127.5 - 1 }
        }
        let mean = values.reduce(0, +) / Double(values.count)
        means.append(mean)
        let squares = values.map { ($0 - mean) * ($0 - mean) }
        deviations.append((squares.reduce(0, +) / Double(values.count)).squareRoot())
      }
      return (means, deviations)
    }

    /// alpha-bar of a linear schedule, as the notebooks compute it.
    private func kept(_ timestep: Int, of steps: Int) -> Double {
      var kept = 1.0
      for index in 0...timestep {
        kept *= 1 - 1e-4 - (0.02 - 1e-4) * Double(index) / Double(steps - 1)
      }
      return kept
    }

    @Test func timestepsAreInDDPMsScale() throws {
      let found = try figure("--timesteps", "0,20,50")
      for (index, timestep) in [0, 20, 50].enumerated() {
        let kept = kept(timestep, of: 500)
        #expect(abs(found.mean[index] - kept.squareRoot() * grey) < 0.01)
        #expect(abs(found.deviation[index] - (1 - kept).squareRoot()) < 0.01)
      }
      // Half of the timesteps in all, the same betas at both ends.
      let fewer = try figure("--timesteps", "20", "--steps", "250")
      #expect(abs(fewer.deviation[0] - (1 - kept(20, of: 250)).squareRoot()) < 0.01)
      let cosine = try figure("--timesteps", "50", "--schedule", "cosine")
      #expect(cosine.deviation[0] < found.deviation[2] - 0.02)
    }

    @Test func levelsAreInEDMsScale() throws {
      let found = try figure("--levels", "0,0.1")
      #expect(abs(found.mean[0] - grey) < 1e-3 && found.deviation[0] < 1e-6)
      #expect(abs(found.mean[1] - grey) < 0.01 && abs(found.deviation[1] - 0.1) < 0.01)
    }

    @Test func levelsAndTimestepsExcludeEachOther() throws {
      try expectRefusal(
        2,
        Diffit.command([
          "noise", scene.path("grey.png"), "--out", scene.path("no.png"), "--levels", "1",
          "--timesteps", "0",
        ]), saying: "--levels", "--timesteps")
      #expect(!scene.exists("no.png"))
    }
  }
}
