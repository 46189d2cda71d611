/// The index of the first value that is infinite or not a number; nil where all are finite.
///
/// It looks at exponents, which the compiler does for many values at once: a network's weights are
/// read from memory as fast as they come.
package func firstNotFinite(_ values: UnsafeBufferPointer<Float>) -> Int? {
  let exponent: UInt32 = 0x7F80_0000
  for start in stride(from: 0, to: values.count, by: 4096) {
    let block = values[start..<min(start + 4096, values.count)]
    var largest: UInt32 = 0
    for value in block { largest = max(largest, value.bitPattern & exponent) }
    if largest == exponent { return block.firstIndex { !$0.isFinite } }
  }
  return nil
}

/// The same, of an array.
package func firstNotFinite(_ values: [Float]) -> Int? {
  values.withUnsafeBufferPointer(firstNotFinite)
}
