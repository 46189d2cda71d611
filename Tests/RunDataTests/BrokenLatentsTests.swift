import FileFormats
import Foundation
import RunData
import SystemSupport
import Testing

/// One test a malformed input.
@Suite("Latents that are refused") struct BrokenLatentsTests {
  private let name = "latents-00001-of-00002.safetensors"

  @Test func withoutADescription() throws {
    let folder = try LatentFolder()
    try FileManager.default.removeItem(at: folder.file("latents.json"))
    #expect(try folder.refusal().contains("no latents.json"))
    #expect(throws: LatentsError.notLatents(path: "/nowhere")) {
      try LatentDataset(path: "/nowhere", scale: 1)
    }
  }

  @Test func aDescriptionThatIsCutOff() throws {
    let folder = try LatentFolder()
    let whole = try Data(contentsOf: folder.file("latents.json"))
    try whole.prefix(whole.count / 2).write(to: folder.file("latents.json"))
    #expect(try folder.refusal().contains("not JSON"))
  }

  @Test func aFieldThatIsMissing() throws {
    let folder = try LatentFolder()
    folder.description["vae"] = nil
    try folder.describe()
    #expect(try folder.refusal().contains("vae is missing"))
  }

  @Test(
    arguments: [
      ("file_images", Int.max, "file_images 9223372036854775807, expected 1 to"),
      ("images", Int.max, "images 9223372036854775807, expected 1 to"),
      ("shape", [1 << 20, 1 << 20, 1 << 20], "expected 3 sizes from 1 to 16384"),
      ("scaling_factor", 1e300, "scaling_factor 1e+300"),
      ("version", 2, "version 2"), ("shape", "x", "shape has another type than expected"),
      ("shape", [3, 2], "shape [3, 2]"), ("shape", [3, 0, 2], "shape [3, 0, 2]"),
      ("factor", 0, "factor 0"), ("images", 9, "9 images in 2 files of 3"),
      ("images", 6, "with 2 images, expected"), ("file_images", 0, "file_images 0, expected 1 to"),
      ("scale", -1.0, "scale -1"), ("precision", "fp8", "precision has an unknown value"),
    ] as [(String, any Sendable, String)])
  func aFieldThatIsWrong(_ field: String, _ value: any Sendable, _ expected: String) throws {
    let folder = try LatentFolder()
    folder.description[field] = value
    try folder.describe()
    let said = try folder.refusal()
    #expect(said.contains("latents.json: not a description") && said.contains(expected), "\(said)")
  }

  @Test func aFileThatIsGone() throws {
    let folder = try LatentFolder()
    try FileManager.default.removeItem(at: folder.file(name))
    #expect(try folder.refusal(FileError.self).contains(name))
  }

  @Test func aFileThatIsCutOff() throws {
    let folder = try LatentFolder()
    let whole = try Data(contentsOf: folder.file(name))
    try whole.dropLast(5).write(to: folder.file(name))
    let said = try folder.refusal()
    #expect(said.contains("\(whole.count - 5) bytes, expected \(whole.count)"))
  }

  @Test func aFileThatIsAnother() throws {
    let folder = try LatentFolder()
    let size = try Data(contentsOf: folder.file(name)).count
    try Data(repeating: 0, count: size).write(to: folder.file(name))
    #expect(try folder.refusal(SafetensorsError.self).contains(name))
  }

  @Test func tensorsOfAnotherShapeOrType() throws {
    let folder = try LatentFolder(flips: false)
    folder.description["flips"] = true
    try folder.describe()
    #expect(try folder.refusal().contains("flipped_mean is missing, expected F32 [3, 3, 2, 2]"))
    folder.description["flips"] = false
    folder.description["precision"] = "bf16"
    try folder.describe()
    #expect(try folder.refusal().contains("mean is F32 [3, 3, 2, 2], expected BF16"))
    folder.description["precision"] = "fp32"
    folder.description["shape"] = [2, 2, 3]
    try folder.describe()
    #expect(try folder.refusal().contains("mean is F32 [3, 3, 2, 2], expected F32 [3, 2, 2, 3]"))
  }

  @Test func labelsThatAreNoClasses() throws {
    #expect(
      try LatentFolder(labels: [0, 1, 2, 3, 0]).refusal().contains("label 3, expected 0 to 2"))
    #expect(try LatentFolder(labels: [0, -1, 2, 0, 0]).refusal().contains("label -1"))
  }

  @Test func descriptionsAreOneLine() {
    let errors: [LatentsError] = [
      .otherShape(path: "p", found: [4, 32, 32], expected: [4, 64, 64]),
      .otherAutoencoder(what: "--vae: p", found: "a", expected: "b"), .noAutoencoder(what: "p"),
      .needlessAutoencoder(path: "p"), .noReference(setting: "--reference"),
      .resolution(found: 30, expected: "a multiple of 8"),
      .notAnAutoencoder(path: "p", found: "images"), .brokenImage(name: "p", reason: "cut off"),
    ]
    for error in errors {
      #expect(!error.description.contains("\n") && error.description.count > 40)
      #expect(error.exitCode == (error == errors[7] ? 1 : 2))
    }
    #expect("\(errors[0])".contains("latents of 32 x 32 with 4 channels, expected 64 x 64"))
  }
}
