import Datasets
import Foundation
import Testing

extension EndToEndTests {
  /// `diffit noise`: the same draw of noise in EDM's scale and in DDPM's.
  @Suite struct NoiseTests {
    let scene: Scene
    /// y of every pixel.
    private let grey = 64.0 / 127.5 - 1

    init() throws {
      scene = try Scene()
      try ImageGrid.writePNG(
        [Float](repeating: Float(grey), count: 64 * 64 * 3), height: 64, width: 64, columns: 1,
        to: scene.path("grey.png"))
    }

    /// The pixels of each picture in the figure.
    private func figure(_ options: String...) throws -> (mean: [Double], deviation: [Double]) {
      let outcome = try Diffit.command(
        ["noise", scene.path("grey.png"), "--out", scene.path("noise.png")] + options
      ).run()
      try #require(outcome.code == 0, "\(outcome.errors)")
      let figure = try ImageFile.read(scene.path("noise.png"))
      let count = figure.width / 64
      #expect(figure.height == 64 && figure.width == 64 * count)
      var (means, deviations): ([Double], [Double]) = ([], [])
      for picture in 0..<count {
        let values = (0..<64).flatMap { row in
          figure.pixels[
            (row * figure.width + picture * 64) * 3..<(row * figure.width + picture * 64 + 64) * 3
          ]
          .map { Double($0) / 127.5 - 1 }
        }
        let mean = values.reduce(0, +) / Double(values.count)
        means.append(mean)
        deviations.append(
          (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
      }
      return (means, deviations)
    }

    /// alpha-bar of a linear schedule, as the notebooks compute it.
    private func kept(_ timestep: Int, of steps: Int) -> Double {
      (0...timestep).reduce(1) {
        $0 * (1 - 1e-4 - (0.02 - 1e-4) * Double($1) / Double(steps - 1))
      }
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
