import CKernels
import Foundation

/// The kernels of one instruction set.
public struct KernelTable: @unchecked Sendable {  // a pointer to a constant
  public let table: UnsafePointer<dk_table>
  public let level: Level

  /// Instruction sets in rising order; a CPU that runs one runs all before it.
  public enum Level: Int, Sendable, CaseIterable, Comparable {
    case portable = 0
    case avx2 = 1
    case avx512 = 2
    /// AVX-512 that multiplies pairs of bf16.
    case avx512bf16 = 3

    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// Nil where this CPU, or the operating system, does not run `level`.
  public init?(_ level: Level) {
    guard level <= KernelTable.bestLevel else { return nil }
    self.level = level
    table = dk_table_for(dk_level(rawValue: UInt32(level.rawValue)))
  }

  /// The kernels for activations of one element type.
  public subscript(_ dtype: DType) -> dk_kernels {
    switch dtype {
    case .float32: table.pointee.f32
    case .bfloat16: table.pointee.bf16
    }
  }

  /// The best level this CPU runs, as told by CPUID.
  public static var bestLevel: Level { Level(rawValue: Int(dk_best_level().rawValue)) ?? .portable }

  /// The best table this CPU runs. The environment variable `DIFFIT_KERNELS` (a level's name) asks for
  /// a lower one; a level the CPU does not run is ignored.
  public static var best: KernelTable {
    let asked = ProcessInfo.processInfo.environment["DIFFIT_KERNELS"]
    let level = Level.allCases.first { "\($0)" == asked } ?? bestLevel
    guard let table = KernelTable(min(level, bestLevel)) ?? KernelTable(.portable) else {
      fatalError("KernelTable: the portable kernels run everywhere")
    }
    return table
  }
}
