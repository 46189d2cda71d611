/// Elementary functions in f64, built only from additions, multiplications and divisions. Their
/// bits depend neither on a C library nor on fused multiply-add. Errors are below 4 ulp, unless a
/// function says otherwise.
public enum PortableMath {
  private static let ln2High = 6.93147180369123816490e-01  // 33 bits: k * ln2High is exact
  private static let ln2Low = 1.90821492927058770002e-10

  /// Natural logarithm of a positive, normal number.
  public static func log(_ x: Double) -> Double {
    invariant(x > 0 && x.isNormal, "PortableMath.log: \(x)")
    var exponent = Double(x.exponent)
    var mantissa = x.significand  // [1, 2)
    if mantissa > 1.4142135623730951 {
      mantissa /= 2
      exponent += 1
    }
    // log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| <= 0.1716
    let s = (mantissa - 1) / (mantissa + 1)
    let z = s * s
    var series = 0.0
    for n in stride(from: 21, through: 3, by: -2) { series = series * z + 1 / Double(n) }
    series = series * z
    return exponent * ln2High + (exponent * ln2Low + (2 * s * series + 2 * s))
  }

  /// e^x; 0 below -708. The argument must be below 709, where the result would overflow.
  public static func exp(_ x: Double) -> Double {
    if x < -708 { return 0 }
    invariant(x < 709, "PortableMath.exp: \(x) overflows")
    let k = (x / 0.6931471805599453).rounded()
    let r = (x - k * ln2High) - k * ln2Low  // |r| <= 0.347
    var series = 0.0
    for n in stride(from: 14, through: 1, by: -1) { series = (series + 1) * r / Double(n) }
    return (series + 1) * Double(sign: .plus, exponent: Int(k), significand: 1)
  }

  /// e^x for any x: infinity if it overflows, and NaN for NaN. It serves numbers that a network
  /// computes, which must reach the check for finite losses instead of ending the program.
  public static func saturatingExp(_ x: Double) -> Double {
    x < 709 ? exp(x) : x + .infinity
  }

  /// The logistic function 1 / (1 + e^-x), also called sigmoid. Its relative precision holds at
  /// both ends; NaN gives NaN. The error is below 8 ulp if the result is a normal number.
  public static func logistic(_ x: Double) -> Double {
    if x >= 0 { return 1 / (1 + exp(-x)) }
    let grown = saturatingExp(x)
    return grown / (1 + grown)
  }

  /// base^exponent for a positive, normal base. The logarithm's error is amplified: the error is
  /// below 4 + 4 |exponent log(base)| ulp.
  public static func pow(_ base: Double, _ exponent: Double) -> Double {
    exponent == 0 ? 1 : exp(exponent * log(base))
  }

  /// The sine and cosine of an angle of `turns` full circles.
  public static func sinCosOfTurns(_ turns: Double) -> (sin: Double, cos: Double) {
    let reduced = turns - turns.rounded()  // [-1/2, 1/2]
    let quarter = (reduced * 4).rounded()
    let angle = (reduced - quarter / 4) * 6.283185307179586  // |angle| <= pi / 4
    let z = angle * angle
    var sine = 0.0
    for n in stride(from: 17, through: 3, by: -2) { sine = (1 + sine) * -z / Double(n * (n - 1)) }
    sine = angle + angle * sine
    var cosine = 0.0
    for n in stride(from: 18, through: 2, by: -2) {
      cosine = (1 + cosine) * -z / Double(n * (n - 1))
    }
    cosine = 1 + cosine
    switch Int(quarter) & 3 {
    case 0: return (sine, cosine)
    case 1: return (cosine, -sine)
    case 2: return (-sine, -cosine)
    default: return (-cosine, sine)
    }
  }

  /// The sine and cosine of an angle of moderate size in radians. The absolute error is below (2 +
  /// |radians|) 2^-52.
  public static func sinCos(_ radians: Double) -> (sin: Double, cos: Double) {
    sinCosOfTurns(radians / 6.283185307179586)
  }
}
