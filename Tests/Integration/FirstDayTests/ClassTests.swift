import Foundation
import ProcessSupport
import Testing

extension FirstDayTests {
  /// Classes of samples, by number and by name.
  @Suite struct ClassTests {
    let scene: Scene

    init() throws {
      scene = try Scene()
      try scene.train()
    }

    private func classes(_ folder: String) throws -> [String: Int] {
      try #require(try scene.json("\(folder)/samples.json")["classes"] as? [String: Int])
    }

    @Test func eachImagesClassIsOnRecord() throws {
      try scene.good("\"$diffit\" sample run --seeds 0-3 --steps 2 --out a")
      let first = try classes("a")
      #expect(first.keys.sorted() == (0..<4).map { "000000/00000\($0).png" })
      #expect(Set(first.values).count > 1 && first.values.allSatisfy { (0..<10).contains($0) })
      let names = try scene.json("a/samples.json")["class_names"] as? [String]
      #expect(names?.count == 10 && names?.contains("ring") == true, "\(names ?? [])")
      // More images of the same folder, on two ranks.
      try scene.good("$mpirun -n 2 \"$diffit\" sample run --seeds 2-5 --steps 2 --out a")
      let both = try classes("a")
      #expect(both.count == 6 && both.merging(first) { $1 } == both)
      // An array tells the same.
      try scene.good("\"$diffit\" sample run --seeds 0-3 --steps 2 --out a.npz")
      #expect(!scene.exists("a.npz.partial"))
    }

    @Test func aClassHasANameToo() throws {
      try scene.good("\"$diffit\" sample run --seeds 0-1 --steps 2 --class ring --out named")
      let numbers = try classes("named")
      let number = try #require(numbers.values.first)
      #expect(numbers.values.allSatisfy { $0 == number })
      try scene.good(
        "\"$diffit\" sample run --seeds 0-1 --steps 2 --class \(number) --out numbered")
      for name in numbers.keys {
        #expect(try scene.data("named/\(name)") == scene.data("numbered/\(name)"))
      }
      #expect(try scene.data("named/samples.json") == scene.data("numbered/samples.json"))
      try scene.refused(
        2, "\"$diffit\" sample run --class rign --out x", "did you mean ring?", "circle")
      try scene.refused(2, "\"$diffit\" sample run --class 10 --out x", "classes 0 to 9")
      try scene.refused(
        2, "\"$diffit\" evaluate run --class square1 --samples 2", "did you mean square?")
    }

    /// An export knows the names as well.
    @Test func namesTravelWithAnExport() throws {
      try scene.good("\"$diffit\" export run --out model.safetensors")
      try scene.good(
        "\"$diffit\" sample model.safetensors --seeds 0 --steps 2 --class star --out x")
      #expect(try classes("x").count == 1)
    }

    @Test func anUnconditionalNetworkHasNoClasses() throws {
      try scene.good(
        "\"$diffit\" train --config \"$config\" --run plain \(Scene.small) --set model.classes=0"
          + " && \"$diffit\" sample plain --seeds 0-1 --steps 2 --out x")
      #expect(try scene.json("x/samples.json")["classes"] == nil)
      try scene.refused(2, "\"$diffit\" sample plain --class ring --out y", "--class ring")
    }

    /// The default number of samples takes long, which is said before it begins.
    @Test func evaluateTellsHowLongItTakes() throws {
      let command = try scene.command("exec \"$diffit\" evaluate run --steps 2 --batch 4")
      // It is not waited for.
      let outcome = try command.run { running in
        try running.wait(until: "the estimate") { running.output.contains("samples (the default") }
        try running.signal(SIGTERM)
      }
      #expect(
        outcome.output.contains(
          #/50000 samples \(the default; --samples changes it\) take about .+, by the time of one batch/#
        ), "\(outcome.output)")
      try scene.good("\"$diffit\" sample run --seeds 0-7 --steps 2 --out images")
      let few = try scene.good(
        "\"$diffit\" evaluate run --steps 2 --samples 8 --reference images")
      #expect(!few.output.contains("take about"))
    }
  }
}
