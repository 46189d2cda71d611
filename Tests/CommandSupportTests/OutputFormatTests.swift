import CommandSupport
import Testing

@Suite struct OutputFormatTests {
  @Test(arguments: ["g.jpg", "a/b.tiff", "x.PNG.webp", "g.npz", "g.JPEG", "g.json"])
  func namesOfOtherFormats(path: String) {
    #expect(throws: OptionError.self) { try requirePNG(path, "--grid") }
  }

  @Test(arguments: ["g.png", "g.PNG", "g", "a.b/g", "/dev/null", "g.2026", ".png", "a.jpg/g"])
  func namesThatAreTaken(path: String) throws {
    try requirePNG(path, "--grid")
  }

  @Test func theLineSaysWhatIsWritten() {
    do throws(OptionError) {
      try requireFormat("x.tiff", "--out", [".zip"], expected: "a folder, or a .zip file")
      Issue.record("x.tiff was taken")
    } catch {
      #expect("\(error)" == "--out x.tiff: expected a folder, or a .zip file")
    }
  }
}
