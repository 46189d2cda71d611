import CKernels

/// What a geometry means, by the words of `CKernels.h`.
extension dk_geometry {
  func tap(_ t: Int) -> Tap {
    let entry = { (list: UnsafeRawBufferPointer) in
      Int(list.loadUnaligned(fromByteOffset: 4 * t, as: Int32.self))
    }
    return Tap(
      dy: withUnsafeBytes(of: dy, entry), dx: withUnsafeBytes(of: dx, entry),
      weight: withUnsafeBytes(of: weight_tap, entry))
  }

  /// Calls `visit` for every position and tap with the first element of the input pixel (nil outside
  /// the image), the weight's tap, the first element of the output pixel, and whether this is the
  /// position's first tap.
  func forEachProduct(_ visit: (_ input: Int?, _ weight: Int, _ output: Int, _ first: Bool) -> Void)
  {
    let taps = (0..<Int(taps)).map(tap)
    for position in 0..<positions {
      let column = position % Int(grid_w)
      let row = position / Int(grid_w) % Int(grid_h)
      let image = position / Int(grid_w * grid_h)
      let outY = row * Int(out_stride) + Int(out_y)
      let outX = column * Int(out_stride) + Int(out_x)
      let output = ((image * Int(out_h) + outY) * Int(out_w) + outX) * Int(out_pitch)
      for (t, tap) in taps.enumerated() {
        let (y, x) = (row * Int(in_stride) + tap.dy, column * Int(in_stride) + tap.dx)
        let inside = (0..<Int(in_h)).contains(y) && (0..<Int(in_w)).contains(x)
        let pixel = (image * Int(in_h) + y) * Int(in_w) + x
        visit(inside ? pixel * Int(in_pitch) : nil, tap.weight, output, t == 0)
      }
    }
  }
}
