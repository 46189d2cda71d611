import CKernels

/// The peak arithmetic rates and memory bandwidth that this machine reaches in small loops: the
/// roofs of a roofline plot, which the operators of a step are compared with.
public struct MachinePeaks: Codable, Equatable, Sendable {
  /// GFLOP/s of f32 multiply-adds on registers, on all threads of the context, with the
  /// instructions of its kernels.
  public let float32: Double
  /// GFLOP/s of bf16 products, measured likewise.
  public let bfloat16: Double
  /// GB/s of the triad y = a + b x over arrays larger than any cache. Per element it counts two
  /// reads and one write, without the cache line that a write fetches first.
  public let stream: Double

  enum CodingKeys: String, CodingKey {
    case float32 = "f32_gflops_per_second"
    case bfloat16 = "bf16_gflops_per_second"
    case stream = "stream_gigabytes_per_second"
  }

  /// Peaks that were measured before, in GFLOP/s, GFLOP/s and GB/s.
  public init(float32: Double, bfloat16: Double, stream: Double) {
    (self.float32, self.bfloat16, self.stream) = (float32, bfloat16, stream)
  }

  /// Measures the peaks, which takes about a second. The best of many attempts counts, because
  /// other programs may use the machine too.
  ///
  /// - Parameters:
  ///   - context: the threads and kernels to measure.
  ///   - streamBytes: size of the triad's three arrays together; use several times the last-level
  ///     cache.
  public init(of context: ComputeContext, streamBytes: Int) {
    let level = dk_level(rawValue: UInt32(context.kernels.level.rawValue))
    float32 = MachinePeaks.arithmetic(on: context.threads) { dk_probe_f32(level, $0) }
    bfloat16 = MachinePeaks.arithmetic(on: context.threads) { dk_probe_bf16(level, $0) }
    stream = MachinePeaks.triad(bytes: streamBytes, on: context)
  }

  /// The arithmetic peak for one element type, in GFLOP/s.
  public func gflops(_ dtype: DType) -> Double { dtype == .float32 ? float32 : bfloat16 }

  /// GFLOP/s of a loop on all threads.
  ///
  /// - Parameter probe: runs that many rounds and returns how many operations that took.
  private static func arithmetic(
    on threads: ThreadPool, probe: (_ rounds: Int64) -> Int64
  ) -> Double {
    var rounds: Int64 = 1 << 12
    func seconds() -> Double { timed { threads.run { _ in _ = probe(rounds) } } }
    // Many short attempts: at least one of them is not interrupted by other work of the cores.
    while seconds() < 0.001 { rounds *= 2 }
    let best = (0..<200).map { _ in seconds() }.min() ?? .infinity
    return Double(probe(rounds)) * Double(threads.count) / best / 1e9
  }

  private static func triad(bytes: Int, on context: ComputeContext) -> Double {
    let count = max(bytes / 12, 1)
    let arrays = (0..<3).map { _ in Tensor([count], on: context) }
    return withFloats(arrays[0], arrays[1], arrays[2]) { a, b, y in
      func run(_ body: (Range<Int>) -> Void) { context.threads.forRanges(of: count, body) }
      // Linux places a page in the memory near the thread that first writes to it.
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
