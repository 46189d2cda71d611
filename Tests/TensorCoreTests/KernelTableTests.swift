import CKernels
import Foundation
import TensorCore
import Testing

@Suite struct KernelTableTests {
  @Test(arguments: KernelTable.Level.allCases)
  func aTableIsGivenWhereTheCPURunsItAndRefusedElsewhere(level: KernelTable.Level) throws {
    let kernels = KernelTable(level)
    #expect((kernels != nil) == level.runs(on: KernelTable.bestLevel))
    guard let kernels else { return }
    #expect(kernels.level == level)
    #expect(String(cString: kernels.table.pointee.name) == level.name)
    #expect(kernels.table.pointee.vector_width == [4, 8, 16, 16, 16, 16][level.rawValue])
  }

  @Test func levelsRise() {
    let rising: [KernelTable.Level] = [
      .portable, .avx2, .avx512, .avx512bf16, .amxEmulated, .amx,
    ]
    #expect(KernelTable.Level.allCases == rising && rising.sorted() == rising)
    #expect(
      rising.map(\.rawValue)
        == [DK_PORTABLE, DK_AVX2, DK_AVX512, DK_AVX512_BF16, DK_AMX_EMULATED, DK_AMX].map {
          Int($0.rawValue)
        })
  }

  @Test func namesAreReadBack() {
    for level in KernelTable.Level.allCases {
      #expect(KernelTable.Level(name: level.name) == level)
      #expect("\(level)" == level.name)
    }
    #expect(KernelTable.Level(name: "amxEmulated") == nil)
  }

  @Test func theEmulationRunsWhereItsVectorsDo() {
    let levels = KernelTable.Level.allCases
    #expect(levels.filter { KernelTable.Level.amxEmulated.runs(on: $0) } == Array(levels[3...]))
    #expect(levels.filter { $0.runs(on: .avx2) } == [.portable, .avx2])
    #expect(levels.filter { $0.runs(on: .amx) } == levels)
  }

  /// Ranks take the minimum of their levels: each must run it.
  @Test func theMinimumOfLevelsRunsOnEveryRank() {
    let machines = KernelTable.Level.allCases.filter { $0 != .amxEmulated }
    let ranks = machines.flatMap { best in
      KernelTable.Level.allCases.filter { $0.runs(on: best) }.map { (best: best, level: $0) }
    }
    for a in ranks {
      for b in ranks {
        let agreed = min(a.level, b.level)
        #expect(agreed.runs(on: a.best) && agreed.runs(on: b.best), "\(a), \(b)")
      }
    }
  }

  /// Linux lists what the CPU offers and the kernel saves: a second source beside CPUID.
  @Test func theBestLevelIsWhatTheKernelReports() throws {
    #if arch(x86_64)
      let text = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("flags") })
      let flags = Set(line.split(separator: " ").map(String.init))
      let sets: [(KernelTable.Level, Set<String>)] = [
        (.avx2, ["avx2", "fma"]), (.avx512, ["avx512f", "avx512bw", "avx512dq", "avx512vl"]),
        (.avx512bf16, ["avx512_bf16"]), (.amx, ["amx_tile", "amx_bf16"]),
      ]
      let run = sets.prefix { flags.isSuperset(of: $0.1) }.map(\.0)
      let expected = run.last ?? .portable
      // Linux may refuse the permission to use AMX, as sandboxes do.
      let refused = expected == .amx && KernelTable.bestLevel == .avx512bf16
      #expect(KernelTable.bestLevel == expected || refused)
    #else
      #expect(KernelTable.bestLevel == .portable)
    #endif
  }

  @Test func theEnvironmentAsksForAnotherLevel() async {
    await #expect(processExitsWith: .success) {
      for level in KernelTable.Level.allCases {
        setenv("DIFFIT_KERNELS", level.name, 1)
        let expected = level.runs(on: KernelTable.bestLevel) ? level : KernelTable.bestLevel
        guard KernelTable.best.level == expected, ComputeContext().kernels.level == expected else {
          exit(1)
        }
      }
      setenv("DIFFIT_KERNELS", "nonsense", 1)
      guard KernelTable.best.level == KernelTable.bestLevel else { exit(1) }
    }
  }
}
