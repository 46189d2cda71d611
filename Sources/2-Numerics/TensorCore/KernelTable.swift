import CKernels
import Foundation

/// The compute kernels (C functions) of one instruction set.
public struct KernelTable: @unchecked Sendable {  // a pointer to a constant
  /// The C table of kernels, which lives as long as the process.
  public let table: UnsafePointer<dk_table>
  /// The instruction set.
  public let level: Level

  /// Instruction sets, in rising order: a CPU that runs one of them runs all before it, except that
  /// `amxEmulated` needs only `avx512bf16`. The raw values are those of the C type `dk_level`. The
  /// minimum over all ranks is a level that every rank runs.
  public enum Level: Int, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    /// 128-bit vectors of plain C, without fused multiply-add: any CPU.
    case portable = 0
    /// x86-64 with AVX2 and FMA.
    case avx2 = 1
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    case avx512 = 2
    /// As `avx512`, with instructions that multiply pairs of bf16 (AVX512_BF16).
    case avx512bf16 = 3
    /// The kernels of `amx` with the tile instructions replaced by plain C. It gives the same bits
    /// as `amx`, slowly, on any CPU that runs `avx512bf16`. It exists for tests, and is used only
    /// on request.
    case amxEmulated = 4
    /// AMX tiles for products of bf16; everything else as in `avx512bf16`.
    case amx = 5

    /// The name that `DIFFIT_KERNELS` and logs use, such as `avx512bf16`.
    public var name: String {
      switch self {
      case .portable: "portable"
      case .avx2: "avx2"
      case .avx512: "avx512"
      case .avx512bf16: "avx512bf16"
      case .amxEmulated: "amx-emulated"
      case .amx: "amx"
      }
    }

    /// The same as `name`.
    public var description: String { name }

    /// The level of this name; nil if there is none.
    public init?(name: String) {
      guard let level = Level.allCases.first(where: { $0.name == name }) else { return nil }
      self = level
    }

    /// Whether a CPU whose best level is `best` runs this level.
    public func runs(on best: Level) -> Bool {
      self == .amxEmulated ? best >= .avx512bf16 : self <= best
    }

    /// Orders levels by their raw values.
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// The table of a level; nil if this CPU or its operating system does not run the level.
  public init?(_ level: Level) {
    guard level.runs(on: KernelTable.bestLevel) else { return nil }
    self.level = level
    table = dk_table_for(dk_level(rawValue: UInt32(level.rawValue)))
    invariant(
      table.pointee.size == MemoryLayout<dk_table>.size,
      "KernelTable: the kernels were compiled with another CKernels.h; remove the build folder, and"
        + " build again")
  }

  /// The kernels for activations of one element type.
  public subscript(_ dtype: DType) -> dk_kernels {
    switch dtype {
    case .float32: table.pointee.f32
    case .bfloat16: table.pointee.bf16
    }
  }

  /// The best level that this CPU runs, according to CPUID; never the emulated one. The first use
  /// asks Linux for permission to use AMX, on behalf of the whole process.
  public static let bestLevel = Level(rawValue: Int(dk_best_level().rawValue)) ?? .portable

  /// The table to use by default: the one that the environment variable `DIFFIT_KERNELS` names, or
  /// else that of `bestLevel`. A name that is unknown, or a level that this CPU does not run, is
  /// ignored.
  public static var best: KernelTable {
    let requested = ProcessInfo.processInfo.environment["DIFFIT_KERNELS"]
      .flatMap { Level(name: $0) }
    guard let table = requested.flatMap({ KernelTable($0) }) ?? KernelTable(bestLevel) else {
      fatalError("KernelTable: this CPU does not run its own best level")
    }
    return table
  }
}
