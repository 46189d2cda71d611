import CKernels
import Foundation
import TensorCore
import Testing

@Suite struct KernelTableTests {
  @Test(arguments: KernelTable.Level.allCases)
  func aTableIsGivenWhereTheCPURunsItAndRefusedElsewhere(level: KernelTable.Level) throws {
    let kernels = KernelTable(level)
    #expect((kernels != nil) == (level <= KernelTable.bestLevel))
    guard let kernels else { return }
    #expect(kernels.level == level)
    #expect(String(cString: kernels.table.pointee.name) == "\(level)")
    #expect(kernels.table.pointee.vector_width == [4, 8, 16, 16][level.rawValue])
  }

  @Test func levelsRise() {
    #expect(KernelTable.Level.portable < .avx2 && .avx2 < .avx512)
    #expect(KernelTable.Level.avx512 < .avx512bf16)
  }

  /// Linux lists what the CPU offers and the kernel saves: a second source beside CPUID.
  @Test func theBestLevelIsWhatTheKernelReports() throws {
    #if arch(x86_64)
      let text = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("flags") })
      let flags = Set(line.split(separator: " ").map(String.init))
      let avx2 = flags.isSuperset(of: ["avx2", "fma"])
      let avx512 = avx2 && flags.isSuperset(of: ["avx512f", "avx512bw", "avx512dq", "avx512vl"])
      let pairs = avx512 && flags.contains("avx512_bf16")
      #expect(
        KernelTable.bestLevel
          == (pairs ? .avx512bf16 : avx512 ? .avx512 : avx2 ? .avx2 : .portable))
    #else
      #expect(KernelTable.bestLevel == .portable)
    #endif
  }

  @Test func theEnvironmentAsksForALowerLevel() async {
    await #expect(processExitsWith: .success) {
      for level in KernelTable.Level.allCases {
        setenv("DIFFIT_KERNELS", "\(level)", 1)
        let expected = min(level, KernelTable.bestLevel)
        guard KernelTable.best.level == expected, Engine().kernels.level == expected else {
          exit(1)
        }
      }
      setenv("DIFFIT_KERNELS", "nonsense", 1)
      guard KernelTable.best.level == KernelTable.bestLevel else { exit(1) }
    }
  }
}
