import Diffusion
import NumericsSupport
import TensorCore
import Testing

/// Heun's and Euler's samples, bit by bit: what has been sampled stays what it was.
@Suite struct HeunBitsTests {
  @Test(
    arguments: [
      (0.0, true, 0x99d5_deb4_cd75_8d74), (30, true, 0x519b_c244_5792_5215),
      (0, false, 0x35c4_d70b_1b8c_4112), (2.5, false, 0x4fb8_e47d_f36c_ac02),
    ] as [(Double, Bool, UInt64)])
  func bits(_ amount: Double, _ corrects: Bool, _ expected: UInt64) {
    var churn = HeunSampler.Churn(amount)
    (churn.minimum, churn.noise) = (0.05, 1.003)
    let images = HeunSampler(corrects: corrects, churn: churn).sample(
      seeds: [7, 0, 1 << 35, 12], over: .edm(steps: 7), image: [5, 3, 3],
      with: RationalDenoiser(), on: ComputeContext())
    let digest = images.bits.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    #expect(digest == expected, "\(String(digest, radix: 16))")
  }
}
