// swift-tools-version: 6.2
import PackageDescription

// Sources has a folder per floor. A target imports targets of lower floors, and those that stand
// before it here on its own floor; never one that stands after it.

// Warnings are errors. C is optimised in debug builds too, because unoptimised SIMD kernels make
// every test slow; that changes no bit of any result, since the sources themselves forbid the
// contraction of products and sums. Of debug information C keeps only what backtraces need, because
// the rest takes a quarter of the kernels' build time. SwiftPM 6.2 and later, which this manifest
// needs, accept unsafe flags in a package that others depend on.
let c: [CSetting] = [
  .unsafeFlags(["-O3", "-Xclang", "-debug-info-kind=line-tables-only"]), .enableWarning("all"),
  .enableWarning("extra"), .treatAllWarnings(as: .error),
]
let swift: [SwiftSetting] = [.treatAllWarnings(as: .error)]
// See `module(loops:)`.
let glue: [SwiftSetting] = swift + [.unsafeFlags(["-Onone"])]
// Tests that compare kernels and samplers with plain loops are optimised in debug builds too.
let loops: [SwiftSetting] = swift + [.unsafeFlags(["-O"])]

/// A library of one floor, in Swift.
///
/// - Parameter loops: whether it has loops over pixels, features, weights or messages, or runs with
///   every operator of a step. Only such targets are optimised in release builds, which takes the
///   compiler three to four times as long as the rest of its work.
func module(
  _ floor: String, _ name: String, _ dependencies: [Target.Dependency] = [], loops: Bool = false
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(floor)/\(name)",
    swiftSettings: loops ? swift : glue)
}

/// A shim of C before a library of the system, or kernels.
func shim(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
  libraries: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/1-System/\(name)", exclude: exclude,
    cSettings: c, linkerSettings: libraries.map { .linkedLibrary($0) })
}

/// The tests of a target; those of several targets together are in a folder inside `Tests`.
func tests(
  _ name: String, in folder: String = "", _ dependencies: [Target.Dependency],
  settings: [SwiftSetting] = glue
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(folder)\(name)",
    swiftSettings: settings)
}

/// What tests have in common.
func support(
  _ name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = glue
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Tests/Support/\(name)",
    swiftSettings: settings)
}

/// A program that tests and comparisons run.
func probe(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Tests/Tools/\(name)", swiftSettings: glue)
}

let system: [Target] = [
  .systemLibrary(
    name: "SystemMPI", path: "Sources/1-System/SystemMPI", pkgConfig: "mpi-c",
    providers: [.apt(["libopenmpi-dev"])]),
  .systemLibrary(
    name: "SystemOpenBLAS", path: "Sources/1-System/SystemOpenBLAS", pkgConfig: "openblas",
    providers: [.apt(["libopenblas-dev"])]),
  shim("CMPI", ["SystemMPI"]),
  shim("COpenBLAS", ["SystemOpenBLAS"]),
  shim("CKernels", exclude: ["template"]),
  shim("CImageIO", libraries: ["jpeg", "png"]),
  shim("CArchive", libraries: ["archive", "z"]),
  shim("CChecksum", libraries: ["xxhash"]),
  shim("CMappedFiles"),
  module("1-System", "SystemSupport", ["CChecksum", "CMappedFiles"]),
]

let numerics: [Target] = [
  module("2-Numerics", "TensorCore", ["CKernels", "SystemSupport"], loops: true),
  module("2-Numerics", "LinearAlgebra", ["COpenBLAS", "TensorCore"], loops: true),
  module("2-Numerics", "Operators", ["CKernels", "TensorCore"], loops: true),
  module("2-Numerics", "Autodiff", ["Operators", "TensorCore"], loops: true),
  module(
    "2-Numerics", "Optimization", ["CKernels", "LinearAlgebra", "Operators", "TensorCore"],
    loops: true),
]

let models: [Target] = [
  module("3-Models", "NeuralNetworks", ["Autodiff", "Operators", "TensorCore"], loops: true),
  module(
    "3-Models", "DiffiTModels", ["Autodiff", "NeuralNetworks", "Operators", "TensorCore"]),
  module("3-Models", "Diffusion", ["Autodiff", "Operators", "TensorCore"], loops: true),
]

let files: [Target] = [
  module("4-Files", "Images", ["CImageIO", "TensorCore"], loops: true),
  module(
    "4-Files", "FileFormats", ["CArchive", "CImageIO", "Images", "SystemSupport", "TensorCore"]),
  module("4-Files", "Datasets", ["FileFormats", "Images", "SystemSupport", "TensorCore"]),
  module("4-Files", "Checkpoints", ["FileFormats", "SystemSupport", "TensorCore"]),
]

let cluster: [Target] = [
  module("5-Cluster", "Collectives", ["CMPI", "SystemSupport", "TensorCore"])
]

let runs: [Target] = [
  module(
    "6-Runs", "CommandSupport",
    [
      "Collectives", "SystemSupport", "TensorCore",
      .product(name: "Logging", package: "swift-log"),
    ]),
  module(
    "6-Runs", "Scores", ["COpenBLAS", "Collectives", "LinearAlgebra", "TensorCore"], loops: true),
  module(
    "6-Runs", "Metrics",
    [
      "Checkpoints", "Collectives", "Datasets", "FileFormats", "Images", "Operators", "Scores",
      "SystemSupport", "TensorCore",
    ]),
  module(
    "6-Runs", "Configuration",
    [
      "Checkpoints", "Collectives", "CommandSupport", "Datasets", "DiffiTModels", "Diffusion",
      "Images", "Metrics", "Optimization", "SystemSupport", "TensorCore", "Yams",
    ]),
  module(
    "6-Runs", "ModelLoading",
    [
      "Autodiff", "Checkpoints", "Collectives", "CommandSupport", "Configuration", "DiffiTModels",
      "Diffusion", "FileFormats", "NeuralNetworks", "Optimization", "SystemSupport", "TensorCore",
    ]),
  module(
    "6-Runs", "RunData",
    [
      "Autodiff", "Checkpoints", "Collectives", "CommandSupport", "Configuration", "Datasets",
      "DiffiTModels", "FileFormats", "Images", "ModelLoading", "Operators", "Optimization",
      "SystemSupport",
      "TensorCore",
    ]),
  module(
    "6-Runs", "Sampling",
    [
      "CommandSupport", "Configuration", "Datasets", "Diffusion", "FileFormats", "Images",
      "ModelLoading", "Operators", "RunData", "SystemSupport", "TensorCore",
    ]),
  module(
    "6-Runs", "Evaluation",
    [
      "Checkpoints", "Collectives", "CommandSupport", "Configuration", "Datasets", "DiffiTModels",
      "Diffusion", "FileFormats", "Images", "LinearAlgebra", "Metrics", "ModelLoading", "RunData",
      "Sampling", "Scores", "SystemSupport", "TensorCore",
    ]),
  module(
    "6-Runs", "Reporting",
    [
      "Checkpoints", "CommandSupport", "Configuration", "Evaluation", "ModelLoading",
      "SystemSupport",
    ]),
  module(
    "6-Runs", "Training",
    [
      "Autodiff", "Checkpoints", "Collectives", "CommandSupport", "Configuration", "Datasets",
      "DiffiTModels", "Diffusion", "Evaluation", "FileFormats", "Images", "Metrics", "ModelLoading",
      "Operators", "Optimization", "Reporting", "RunData", "Sampling", "SystemSupport",
      "TensorCore",
    ]),
]

let commands: [Target] = [
  // Writes `let buildCommit = "abcdef0"` for `diffit --version`; see the folder.
  .plugin(
    name: "BuildCommit", capability: .buildTool, path: "Sources/7-Commands/BuildCommit"),
  module(
    "7-Commands", "DataPreparation",
    [
      "Collectives", "CommandSupport", "Configuration", "Datasets", "FileFormats", "Images",
      "RunData", "SystemSupport", "TensorCore",
    ]),
  module(
    "7-Commands", "Benchmarking",
    [
      "Collectives", "CommandSupport", "Configuration", "Diffusion", "LinearAlgebra",
      "ModelLoading", "Reporting", "Sampling", "SystemSupport", "TensorCore", "Training",
    ]),
  module(
    "7-Commands", "Planning",
    ["CommandSupport", "Configuration", "SystemSupport", "TensorCore", "Training"]),
  module(
    "7-Commands", "Diagnostics",
    [
      "Benchmarking", "Collectives", "CommandSupport", "LinearAlgebra", "SystemSupport",
      "TensorCore",
    ]),
  module(
    "7-Commands", "Parity",
    [
      "Autodiff", "Checkpoints", "CommandSupport", "Configuration", "DiffiTModels", "Diffusion",
      "FileFormats", "ModelLoading", "SystemSupport", "TensorCore",
    ]),
  .executableTarget(
    name: "diffit",
    dependencies: [
      "Benchmarking", "CommandSupport", "Configuration", "DataPreparation", "Diagnostics",
      "Diffusion", "Evaluation", "LinearAlgebra", "ModelLoading", "Parity", "Planning", "Reporting",
      "RunData", "Sampling", "SystemSupport", "TensorCore", "Training",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ], path: "Sources/7-Commands/diffit", swiftSettings: glue, plugins: ["BuildCommit"]),
]

let testing: [Target] = [
  // What tests have in common.
  support("NumericsSupport", ["Operators", "TensorCore"], settings: loops),
  support(
    "FixtureSupport", ["Autodiff", "FileFormats", "Images", "NumericsSupport", "TensorCore"]),
  support(
    "InceptionSupport",
    ["FileFormats", "FixtureSupport", "Images", "Metrics", "NumericsSupport", "TensorCore"]),
  support("ProcessSupport"),
  support("ErrorSupport"),
  support("FuzzSupport"),

  // Programs that tests and comparisons run.
  probe("CollectivesProbe", ["COpenBLAS", "Collectives", "SystemSupport", "TensorCore"]),
  probe(
    "MetricsProbe", ["COpenBLAS", "Collectives", "FileFormats", "Metrics", "Scores", "TensorCore"]),
  probe("FeaturesProbe", ["FileFormats", "Images", "Metrics", "Scores", "TensorCore"]),
  probe("VAEProbe", ["Autodiff", "DiffiTModels", "FileFormats", "RunData", "TensorCore"]),

  // The tests of one target, in the order of the floors.
  tests("SystemSupportTests", ["ErrorSupport", "FixtureSupport", "SystemSupport", "TensorCore"]),
  tests("TensorCoreTests", ["CKernels", "TensorCore"], settings: loops),
  tests("LinearAlgebraTests", ["LinearAlgebra", "TensorCore"]),
  tests("OperatorsTests", ["NumericsSupport", "Operators", "TensorCore"], settings: loops),
  tests("AutodiffTests", ["Autodiff", "NumericsSupport", "Operators", "TensorCore"]),
  tests(
    "OptimizationTests", ["FixtureSupport", "NumericsSupport", "Optimization", "TensorCore"]),
  tests(
    "NeuralNetworksTests",
    ["Autodiff", "NeuralNetworks", "NumericsSupport", "Operators", "TensorCore"]),
  tests(
    "DiffiTModelsTests",
    ["Autodiff", "DiffiTModels", "FixtureSupport", "NumericsSupport", "Operators", "TensorCore"]),
  tests(
    "DiffusionTests",
    ["Autodiff", "Diffusion", "FixtureSupport", "NumericsSupport", "TensorCore"],
    settings: loops),
  tests(
    "FileFormatsTests",
    [
      "ErrorSupport", "FileFormats", "FixtureSupport", "Images", "NumericsSupport", "SystemSupport",
      "TensorCore",
    ]),
  tests(
    "DatasetsTests",
    ["Datasets", "ErrorSupport", "FileFormats", "FixtureSupport", "Images", "SystemSupport"]),
  tests(
    "CheckpointsTests",
    [
      "Checkpoints", "ErrorSupport", "FileFormats", "FixtureSupport", "NumericsSupport",
      "SystemSupport", "TensorCore",
    ]),
  tests("CollectivesTests", ["Collectives", "SystemSupport"]),
  tests("CommandSupportTests", ["Collectives", "CommandSupport", "SystemSupport"]),
  tests(
    "MetricsTests",
    [
      "Collectives", "Datasets", "FileFormats", "FixtureSupport", "Images", "InceptionSupport",
      "Metrics", "NumericsSupport", "Scores", "SystemSupport", "TensorCore",
    ]),
  tests("ConfigurationTests", ["Configuration", "FixtureSupport"]),
  tests("ModelLoadingTests", ["Configuration", "FixtureSupport", "ModelLoading"]),
  tests(
    "RunDataTests",
    [
      "Autodiff", "Checkpoints", "Datasets", "DiffiTModels", "FileFormats", "FixtureSupport",
      "NumericsSupport", "RunData", "SystemSupport", "TensorCore",
    ]),
  tests(
    "SamplingTests",
    [
      "Autodiff", "CommandSupport", "Configuration", "DiffiTModels", "Diffusion", "FixtureSupport",
      "ModelLoading", "Sampling", "TensorCore",
    ]),
  tests("ReportingTests", ["FixtureSupport", "Reporting", "SystemSupport"]),
  tests(
    "EvaluationTests",
    [
      "Collectives", "CommandSupport", "Configuration", "Datasets", "Diffusion", "Evaluation",
      "Metrics", "ModelLoading", "Sampling", "TensorCore",
    ]),
  tests(
    "TrainingTests",
    [
      "Autodiff", "Collectives", "CommandSupport", "Configuration", "Datasets", "Evaluation",
      "FixtureSupport", "Reporting", "TensorCore", "Training",
    ]),
  tests("BenchmarkingTests", ["Benchmarking", "CommandSupport", "Configuration", "TensorCore"]),
  tests("PlanningTests", ["CommandSupport", "Configuration", "Planning"]),
  tests("DiagnosticsTests", ["Benchmarking", "Collectives", "Diagnostics", "TensorCore"]),
  tests(
    "ParityTests",
    ["CommandSupport", "DiffiTModels", "FixtureSupport", "Parity", "TensorCore"]),
  tests("DiffitTests", ["diffit"]),

  // Tests that run the programs, most of them under `mpirun`.
  tests(
    "CollectivesRanksTests", in: "Integration/",
    ["CollectivesProbe", "FixtureSupport", "ProcessSupport", "SystemSupport"]),
  tests(
    "MetricsRanksTests", in: "Integration/",
    ["FixtureSupport", "MetricsProbe", "ProcessSupport"]),
  tests(
    "CompatibilityTests", in: "Integration/",
    ["FixtureSupport", "ProcessSupport", "SystemSupport", "diffit"]),
  tests(
    "RecipeTests", in: "Integration/",
    [
      "Checkpoints", "FileFormats", "FixtureSupport", "ProcessSupport", "TensorCore", "diffit",
    ]),
  tests(
    "RecordFuzzTests", in: "Integration/",
    [
      "Checkpoints", "CommandSupport", "Configuration", "DataPreparation", "DiffiTModels",
      "Evaluation", "FileFormats", "FixtureSupport", "FuzzSupport", "Metrics", "ModelLoading",
      "RunData", "Sampling", "Scores", "SystemSupport", "TensorCore", "Training",
    ]),
  tests(
    "RunFilesTests", in: "Integration/",
    ["Checkpoints", "FileFormats", "FixtureSupport", "Images", "ProcessSupport", "diffit"]),
  tests(
    "ProcessTests", in: "Integration/", ["FixtureSupport", "ProcessSupport", "diffit"]),
  tests(
    "ReaderFuzzTests", in: "Integration/", ["Datasets", "FileFormats", "FixtureSupport"]),
  tests(
    "DataFaultTests", in: "Integration/",
    ["Datasets", "FileFormats", "FixtureSupport", "ProcessSupport", "SystemSupport", "diffit"]),
  tests(
    "FirstDayTests", in: "Integration/",
    ["FileFormats", "FixtureSupport", "ModelLoading", "ProcessSupport", "diffit"]),
  tests(
    "EndToEndTests", in: "Integration/",
    [
      "Checkpoints", "Configuration", "Datasets", "Diagnostics", "FileFormats", "FixtureSupport",
      "Images", "InceptionSupport", "ProcessSupport", "Reporting", "RunData", "SystemSupport",
      "TensorCore", "Training", "diffit",
    ]),
]

// The documentation's examples of targets that are no products; Tests/Checks/examples.sh writes them.
// A target that has its first example must be added here.
let examples: [Target] = [
  tests(
    "ExamplesTests",
    [
      "Checkpoints", "Collectives", "CommandSupport", "Configuration", "ProcessSupport",
      "SystemSupport", "TensorCore",
    ])
]

// What other packages may import: the floors up to the models and the mathematics of diffusion.
// Tests/Examples is a package that imports them.
let libraries = [
  "TensorCore", "Operators", "Autodiff", "Optimization", "NeuralNetworks", "DiffiTModels",
  "Diffusion",
]

let package = Package(
  name: "diffit",
  products: [.executable(name: "diffit", targets: ["diffit"])]
    + libraries.map { .library(name: $0, targets: [$0]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: system + numerics + models + files + cluster + runs + commands + testing
    + examples,
  swiftLanguageModes: [.v6]
)
