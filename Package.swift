// swift-tools-version: 6.2
import PackageDescription

// C is optimised in debug builds too: unoptimised SIMD kernels make every test slow.
let c: [CSetting] = [
  .unsafeFlags(["-O3", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-fno-math-errno"])
]
let swift: [SwiftSetting] = [.unsafeFlags(["-warnings-as-errors"])]

let package = Package(
  name: "diffit",
  products: [.executable(name: "diffit", targets: ["diffit"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Libraries of the system, found by pkg-config.
    .systemLibrary(name: "SystemMPI", pkgConfig: "mpi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "SystemOpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

    // C shims and kernels.
    .target(name: "CMPI", dependencies: ["SystemMPI"], cSettings: c),
    .target(name: "COpenBLAS", dependencies: ["SystemOpenBLAS"], cSettings: c),
    .target(name: "CKernels", exclude: ["template"], cSettings: c),
    .target(
      name: "CImageIO", cSettings: c,
      linkerSettings: [.linkedLibrary("turbojpeg"), .linkedLibrary("png")]),
    .target(
      name: "CArchive", cSettings: c,
      linkerSettings: [.linkedLibrary("archive"), .linkedLibrary("z")]),
    .target(name: "CChecksum", cSettings: c, linkerSettings: [.linkedLibrary("xxhash")]),

    // Numerics.
    .target(name: "TensorCore", dependencies: ["CKernels"], swiftSettings: swift),
    .target(
      name: "Operators", dependencies: ["TensorCore", "CKernels"], swiftSettings: swift),
    .target(name: "Autodiff", dependencies: ["Operators", "TensorCore"], swiftSettings: swift),
    .target(
      name: "NeuralNetworks", dependencies: ["Autodiff", "Operators", "TensorCore"],
      swiftSettings: swift),
    .target(
      name: "DiffiTModels",
      dependencies: ["NeuralNetworks", "Autodiff", "Operators", "TensorCore"],
      swiftSettings: swift),
    .target(
      name: "Diffusion", dependencies: ["Autodiff", "Operators", "TensorCore"],
      swiftSettings: swift),
    .target(
      name: "Optimization", dependencies: ["TensorCore", "CKernels"], swiftSettings: swift),

    // Files, data, ranks.
    .target(
      name: "Datasets", dependencies: ["TensorCore", "CImageIO", "CArchive"], swiftSettings: swift),
    .target(name: "Checkpoints", dependencies: ["TensorCore", "CChecksum"], swiftSettings: swift),
    .target(name: "Collectives", dependencies: ["CMPI", "TensorCore"], swiftSettings: swift),

    // Measures of sample quality.
    .target(
      name: "Metrics",
      dependencies: [
        "NeuralNetworks", "Operators", "TensorCore", "CKernels", "Datasets", "Checkpoints",
        "Collectives", "COpenBLAS",
      ], swiftSettings: swift),

    // The trainer and its command line.
    .target(
      name: "Training",
      dependencies: [
        "DiffiTModels", "Diffusion", "Optimization", "Datasets", "Checkpoints", "Collectives",
        "Metrics", "Autodiff", "Operators", "TensorCore", "COpenBLAS", "Yams",
      ], swiftSettings: swift),
    .executableTarget(
      name: "diffit",
      dependencies: [
        "Training", "Collectives",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: swift),

    // Tests. The probe is what the collectives' tests run under mpirun.
    .testTarget(
      name: "TensorCoreTests", dependencies: ["TensorCore", "CKernels"], swiftSettings: swift),
    .testTarget(
      name: "DatasetsTests", dependencies: ["Datasets", "TensorCore"], swiftSettings: swift),
    .testTarget(
      name: "CheckpointsTests", dependencies: ["Checkpoints", "TensorCore"], swiftSettings: swift),
    .target(
      name: "InceptionSupport",
      dependencies: ["Metrics", "Checkpoints", "Datasets", "TensorCore", "NumericsSupport"],
      path: "Tests/InceptionSupport", swiftSettings: swift),
    .testTarget(
      name: "MetricsTests",
      dependencies: [
        "InceptionSupport",
        "Metrics", "Datasets", "Checkpoints", "Collectives", "TensorCore", "NumericsSupport",
      ], swiftSettings: swift),
    .executableTarget(
      name: "CollectivesProbe", dependencies: ["Collectives", "TensorCore", "COpenBLAS"],
      path: "Tests/CollectivesProbe", swiftSettings: swift),
    .testTarget(
      name: "CollectivesTests",
      dependencies: ["Collectives", "TensorCore", "CollectivesProbe", "ProcessSupport"],
      swiftSettings: swift),
    .testTarget(
      name: "DoctorTests", dependencies: ["Training", "Collectives", "TensorCore"],
      swiftSettings: swift),
    .testTarget(
      name: "TrainingTests",
      dependencies: [
        "Training", "diffit", "Autodiff", "Collectives", "Datasets", "DiffiTModels", "Diffusion",
        "TensorCore",
      ], swiftSettings: swift),

    // The numerics against plain f64 loops.
    .target(
      name: "NumericsSupport", dependencies: ["Operators"], path: "Tests/NumericsSupport",
      swiftSettings: swift),
    .testTarget(
      name: "OperatorsTests", dependencies: ["Operators", "NumericsSupport"], swiftSettings: swift),
    .testTarget(
      name: "AutodiffTests", dependencies: ["Autodiff", "NumericsSupport"], swiftSettings: swift),
    .testTarget(
      name: "ModelsTests", dependencies: ["DiffiTModels", "NumericsSupport"], swiftSettings: swift),
    .testTarget(
      name: "DiffusionTests", dependencies: ["Diffusion", "NumericsSupport"], swiftSettings: swift),
    .testTarget(
      name: "OptimizationTests", dependencies: ["Optimization", "NumericsSupport"],
      swiftSettings: swift),

    // The built program, with and without mpirun.
    .target(name: "ProcessSupport", path: "Tests/ProcessSupport", swiftSettings: swift),
    .testTarget(
      name: "EndToEndTests",
      dependencies: [
        "diffit", "Training", "Checkpoints", "Datasets", "TensorCore", "ProcessSupport",
        "InceptionSupport",
      ], swiftSettings: swift),

    // Scores of given features, for comparison with other programs and under mpirun.
    .executableTarget(
      name: "MetricsProbe",
      dependencies: ["Metrics", "Collectives", "Checkpoints", "TensorCore", "COpenBLAS"],
      path: "Tests/MetricsProbe", swiftSettings: swift),
    .testTarget(
      name: "MetricsRanksTests", dependencies: ["MetricsProbe", "ProcessSupport"],
      swiftSettings: swift),
    // Features of images for a comparison with PyTorch.
    .executableTarget(
      name: "FeaturesProbe", dependencies: ["Metrics", "Checkpoints", "Datasets", "TensorCore"],
      path: "Tests/FeaturesProbe", swiftSettings: swift),

    // The autoencoder and the networks of its losses against PyTorch, and a program for comparisons.
    .testTarget(
      name: "AutoencoderTests",
      dependencies: [
        "Training", "DiffiTModels", "Autodiff", "Checkpoints", "TensorCore", "NumericsSupport",
      ], swiftSettings: swift),
    .executableTarget(
      name: "VAEProbe",
      dependencies: ["Training", "DiffiTModels", "Autodiff", "Checkpoints", "TensorCore"],
      path: "Tests/VAEProbe", swiftSettings: swift),

    // Latents on disk as training data.
    .testTarget(
      name: "LatentsTests",
      dependencies: ["Training", "Checkpoints", "Collectives", "Datasets", "TensorCore"],
      swiftSettings: swift),
  ],
  swiftLanguageModes: [.v6]
)
