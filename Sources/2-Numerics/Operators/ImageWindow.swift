import CKernels
import TensorCore

/// The windows that a convolution or a pool slides over an image: their size, stride and padding.
public struct ImageWindow: Sendable, Hashable {
  /// Height of a window in pixels.
  public let height: Int
  /// Width of a window in pixels.
  public let width: Int
  /// Pixels from one window to the next, along both axes.
  public let stride: Int
  /// Pixels of padding above and below the image.
  public let paddingY: Int
  /// Pixels of padding left and right of the image.
  public let paddingX: Int

  /// Windows of `height` x `width` pixels; each padding is smaller than the window.
  public init(_ height: Int, _ width: Int, stride: Int = 1, paddingY: Int = 0, paddingX: Int = 0) {
    invariant(
      height > 0 && width > 0 && stride > 0 && height * width <= Int(DK_MAX_TAPS)
        && (0..<height).contains(paddingY) && (0..<width).contains(paddingX),
      "ImageWindow: \(height) x \(width), stride \(stride), padding \(paddingY), \(paddingX)")
    (self.height, self.width, self.stride) = (height, width, stride)
    (self.paddingY, self.paddingX) = (paddingY, paddingX)
  }

  /// Square windows.
  public init(_ side: Int, stride: Int = 1, padding: Int = 0) {
    self.init(side, side, stride: stride, paddingY: padding, paddingX: padding)
  }

  var taps: Int { height * width }

  /// [B, H', W', channels]: one pixel per window that lies inside the padded image.
  func outputShape(_ x: Shape, channels: Int) -> Shape {
    let (h, w) = (x[1] + 2 * paddingY - height, x[2] + 2 * paddingX - width)
    invariant(h >= 0 && w >= 0, "ImageWindow: \(height) x \(width) over images \(x)")
    return [x[0], h / stride + 1, w / stride + 1, channels]
  }

  /// The row geometry of these windows, with one tap per pixel.
  func geometry(_ x: ImageChannels, into y: ImageChannels) -> dk_geometry {
    invariant(
      y.shape == outputShape(x.shape, channels: y.shape.channels),
      "ImageWindow: images \(x.shape) into \(y.shape)")
    var g = dk_geometry()
    (g.images, g.grid_h, g.grid_w) = (Int64(y.shape[0]), Int64(y.shape[1]), Int64(y.shape[2]))
    (g.in_h, g.in_w, g.in_stride) = (Int64(x.shape[1]), Int64(x.shape[2]), Int64(stride))
    (g.out_h, g.out_w, g.out_stride) = (g.grid_h, g.grid_w, 1)
    (g.in_channels, g.out_channels) = (Int64(x.range.count), Int64(y.range.count))
    (g.in_pitch, g.out_pitch) = (Int64(x.shape.channels), Int64(y.shape.channels))
    (g.taps, g.weight_taps) = (Int32(taps), Int32(taps))
    for tap in 0..<taps {
      dk_set_tap(
        &g, Int32(tap), Int32(tap / width - paddingY), Int32(tap % width - paddingX), Int32(tap))
    }
    return g
  }

  /// The same windows with one tap per row of pixels. This is possible if the pixels of a row lie
  /// one behind the other and none is padding; otherwise `g` is returned. The order of each sum,
  /// first taps and then channels, stays the same.
  func joined(_ x: ImageChannels, _ g: dk_geometry) -> dk_geometry {
    let wide = width * x.range.count
    guard
      paddingX == 0 && x.range.count == x.shape.channels && wide <= Int(DK_MAX_GATHERED_CHANNELS)
    else { return g }
    var g = g
    g.in_channels = Int64(wide)
    (g.taps, g.weight_taps) = (Int32(height), Int32(height))
    for row in 0..<height { dk_set_tap(&g, Int32(row), Int32(row - paddingY), 0, Int32(row)) }
    return g
  }
}
