extension KernelTable.Level {
  /// The level and the instructions that it multiplies with, such as `avx512 (f32: AVX-512 FMA,
  /// bf16: widened to f32)`.
  public var summary: String {
    switch self {
    case .portable: "\(self) (plain C, bf16 widened to f32)"
    case .avx2: "\(self) (f32: AVX2 FMA, bf16: widened to f32)"
    case .avx512: "\(self) (f32: AVX-512 FMA, bf16: widened to f32)"
    case .avx512bf16: "\(self) (f32: AVX-512 FMA, bf16: vdpbf16ps)"
    case .amxEmulated: "\(self) (f32: AVX-512 FMA, bf16: AMX tiles in plain C, for tests)"
    case .amx: "\(self) (f32: AVX-512 FMA, bf16: AMX tiles)"
    }
  }

  /// Whether the CPU multiplies bf16 directly. At the other levels bf16 operands are widened to f32
  /// first.
  public var multipliesBF16: Bool { self >= .avx512bf16 }
}
