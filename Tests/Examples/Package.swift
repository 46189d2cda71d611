// swift-tools-version: 6.2
import PackageDescription

// A package that uses the libraries of this repository as any other package would. Only the line
// with `path` differs: elsewhere it is `.package(url: "https://...", from: "...")`.

let libraries: [Target.Dependency] = [
  "TensorCore", "Operators", "Autodiff", "Optimization", "NeuralNetworks", "DiffiTModels",
  "Diffusion",
].map { .product(name: $0, package: "diffit") }

let package = Package(
  name: "examples",
  dependencies: [.package(name: "diffit", path: "../..")],
  targets: [
    .executableTarget(
      name: "train-tiny-diffit", dependencies: libraries, path: "Sources/TrainTinyDiffiT"),
    // The examples of the documentation, which Tests/Checks/examples.sh extracts. They are compiled
    // and not run.
    .target(name: "DocumentationExamples", dependencies: libraries),
  ],
  swiftLanguageModes: [.v6]
)
