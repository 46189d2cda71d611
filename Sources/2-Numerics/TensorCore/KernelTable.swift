import CKernels
import Foundation

/// The kernels of one instruction set.
public struct KernelTable: @unchecked Sendable {  // a pointer to a constant
  public let table: UnsafePointer<dk_table>
  public let level: Level

  /// Instruction sets in rising order; a CPU that runs one runs all before it. The raw values are those
  /// of `dk_level`, and their minimum over ranks is a level that all ranks run.
  public enum Level: Int, Sendable, CaseIterable, Comparable, CustomStringConvertible {
    case portable = 0
    case avx2 = 1
    case avx512 = 2
    /// AVX-512 that multiplies pairs of bf16.
    case avx512bf16 = 3
    /// The kernels of `amx` on tiles in plain C: the same bits, slowly, wherever `avx512bf16` runs. For
    /// tests; only taken where it is asked for.
    case amxEmulated = 4
    /// Tiles of AMX for products of bf16; the rest as `avx512bf16`.
    case amx = 5

    /// As `DIFFIT_KERNELS`, logs and the table spell it.
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

    public var description: String { name }

    public init?(name: String) {
      guard let level = Level.allCases.first(where: { $0.name == name }) else { return nil }
      self = level
    }

    /// Whether a CPU whose best level is `best` runs this one.
    public func runs(on best: Level) -> Bool {
      self == .amxEmulated ? best >= .avx512bf16 : self <= best
    }

    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// Nil where this CPU, or the operating system, does not run `level`.
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

  /// The best level this CPU runs, as told by CPUID; never the emulated one. The first use asks Linux
  /// for AMX, for the whole process.
  public static let bestLevel = Level(rawValue: Int(dk_best_level().rawValue)) ?? .portable

  /// The best table this CPU runs. The environment variable `DIFFIT_KERNELS` (a level's name) asks for
  /// another one; a level the CPU does not run is ignored.
  public static var best: KernelTable {
    let asked = ProcessInfo.processInfo.environment["DIFFIT_KERNELS"].flatMap { Level(name: $0) }
    guard let table = asked.flatMap({ KernelTable($0) }) ?? KernelTable(bestLevel) else {
      fatalError("KernelTable: the best level runs here")
    }
    return table
  }
}
