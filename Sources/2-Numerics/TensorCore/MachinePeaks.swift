import CKernels

/// What this machine reaches with nothing but arithmetic, and with nothing but memory: what the
/// operators of a step are measured against.
public struct MachinePeaks: Codable, Equatable, Sendable {
  /// GFLOP/s of multiply-adds in registers, on all threads of the context, by its kernels' instructions.
  public let float32: Double
  /// The same for products of bf16.
  public let bfloat16: Double
  /// GB/s of y = a + b x over arrays that no cache holds: two reads and a write an element, the line
  /// that a write fetches first not counted.
  public let stream: Double

  enum CodingKeys: String, CodingKey {
    case float32 = "f32_gflops_per_second"
    case bfloat16 = "bf16_gflops_per_second"
    case stream = "stream_gigabytes_per_second"
  }

  public init(float32: Double, bfloat16: Double, stream: Double) {
    (self.float32, self.bfloat16, self.stream) = (float32, bfloat16, stream)
  }

  /// Takes about a second. The best try counts: others may use the machine too.
  ///
  /// - Parameter streamBytes: of the three arrays together; several times the last-level cache.
  public init(of context: ComputeContext, streamBytes: Int) {
    let level = dk_level(rawValue: UInt32(context.kernels.level.rawValue))
    float32 = MachinePeaks.arithmetic(on: context.threads) { dk_probe_f32(level, $0) }
    bfloat16 = MachinePeaks.arithmetic(on: context.threads) { dk_probe_bf16(level, $0) }
    stream = MachinePeaks.triad(bytes: streamBytes, on: context)
  }

  public func gflops(_ dtype: DType) -> Double { dtype == .float32 ? float32 : bfloat16 }

  /// - Parameter probe: runs rounds and returns the operations it did.
  private static func arithmetic(
    on threads: ThreadPool, probe: (_ rounds: Int64) -> Int64
  ) -> Double {
    var rounds: Int64 = 1 << 12
    func seconds() -> Double { timed { threads.run { _ in _ = probe(rounds) } } }
    // Many short tries: one of them falls between what else the cores have to do.
    while seconds() < 0.001 { rounds *= 2 }
    let best = (0..<200).map { _ in seconds() }.min() ?? .infinity
    return Double(probe(rounds)) * Double(threads.count) / best / 1e9
  }

  private static func triad(bytes: Int, on context: ComputeContext) -> Double {
    let count = max(bytes / 12, 1)
    let arrays = (0..<3).map { _ in Tensor([count], on: context) }
    return withFloats(arrays[0], arrays[1], arrays[2]) { a, b, y in
      func run(_ body: (Range<Int>) -> Void) { context.threads.forRanges(of: count, body) }
      // Pages belong to the thread that first writes to them.
      run { range in
        for array in [a, b, y] {
          (array + range.lowerBound).update(repeating: 1, count: range.count)
        }
      }
      let best = (0..<5).map { _ in
        timed { run { dk_probe_triad(a, b, 0.5, Int64($0.lowerBound), Int64($0.upperBound), y) } }
      }
      return Double(12 * count) / (best.min() ?? .infinity) / 1e9
    }
  }

  private static func timed(_ body: () -> Void) -> Double {
    let time = ContinuousClock().measure(body).components
    return Double(time.seconds) + Double(time.attoseconds) * 1e-18
  }
}
