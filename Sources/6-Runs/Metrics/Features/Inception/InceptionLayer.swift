import Operators

/// A convolution of FID-Inception: each is followed by a batch norm and a ReLU and has no bias of
/// its own.
package struct InceptionLayer: Sendable, Hashable {
  /// As in the public state dict, such as `Mixed_5b.branch1x1`.
  package let name: String
  /// Channels of its input.
  package let inputs: Int
  /// Channels of its output.
  package let outputs: Int
  /// Size, stride and padding of its kernel.
  package let window: ImageWindow

  init(_ name: String, _ inputs: Int, _ outputs: Int, _ window: ImageWindow) {
    (self.name, self.inputs, self.outputs, self.window) = (name, inputs, outputs, window)
  }

  /// Names and shapes of its five tensors in the file.
  package var tensors: [(name: String, shape: [Int])] {
    [("conv.weight", [outputs, inputs, window.height, window.width])]
      .map { ("\(name).\($0.0)", $0.1) }
      + ["weight", "bias", "running_mean", "running_var"].map { ("\(name).bn.\($0)", [outputs]) }
  }
}

extension InceptionLayer {
  /// The classes of the 2015 graph, of which the last eight mean nothing.
  package static let classes = 1008

  /// All 94, in the order of the forward pass.
  ///
  /// Source: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", in the
  /// variant of the graph of 2015-12-05.
  package static let all: [InceptionLayer] =
    [
      InceptionLayer("Conv2d_1a_3x3", 3, 32, ImageWindow(3, stride: 2)),
      InceptionLayer("Conv2d_2a_3x3", 32, 32, ImageWindow(3)),
      InceptionLayer("Conv2d_2b_3x3", 32, 64, ImageWindow(3, padding: 1)),
      InceptionLayer("Conv2d_3b_1x1", 64, 80, ImageWindow(1)),
      InceptionLayer("Conv2d_4a_3x3", 80, 192, ImageWindow(3)),
    ]
    + blockA("Mixed_5b", 192, pooled: 32) + blockA("Mixed_5c", 256, pooled: 64)
    + blockA("Mixed_5d", 288, pooled: 64) + blockB("Mixed_6a", 288)
    + blockC("Mixed_6b", 768, 128) + blockC("Mixed_6c", 768, 160) + blockC("Mixed_6d", 768, 160)
    + blockC("Mixed_6e", 768, 192) + blockD("Mixed_7a", 768)
    + blockE("Mixed_7b", 1280) + blockE("Mixed_7c", 2048)

  private typealias Branch = (name: String, inputs: Int, outputs: Int, window: ImageWindow)

  private static let wide = ImageWindow(1, 7, paddingX: 3)
  private static let high = ImageWindow(7, 1, paddingY: 3)

  private static func layers(_ block: String, _ branches: [Branch]) -> [InceptionLayer] {
    branches.map { InceptionLayer("\(block).\($0.name)", $0.inputs, $0.outputs, $0.window) }
  }

  private static func blockA(_ block: String, _ inputs: Int, pooled: Int) -> [InceptionLayer] {
    layers(
      block,
      [
        ("branch1x1", inputs, 64, ImageWindow(1)),
        ("branch5x5_1", inputs, 48, ImageWindow(1)),
        ("branch5x5_2", 48, 64, ImageWindow(5, padding: 2)),
        ("branch3x3dbl_1", inputs, 64, ImageWindow(1)),
        ("branch3x3dbl_2", 64, 96, ImageWindow(3, padding: 1)),
        ("branch3x3dbl_3", 96, 96, ImageWindow(3, padding: 1)),
        ("branch_pool", inputs, pooled, ImageWindow(1)),
      ])
  }

  private static func blockB(_ block: String, _ inputs: Int) -> [InceptionLayer] {
    layers(
      block,
      [
        ("branch3x3", inputs, 384, ImageWindow(3, stride: 2)),
        ("branch3x3dbl_1", inputs, 64, ImageWindow(1)),
        ("branch3x3dbl_2", 64, 96, ImageWindow(3, padding: 1)),
        ("branch3x3dbl_3", 96, 96, ImageWindow(3, stride: 2)),
      ])
  }

  private static func blockC(_ block: String, _ inputs: Int, _ inner: Int) -> [InceptionLayer] {
    layers(
      block,
      [
        ("branch1x1", inputs, 192, ImageWindow(1)),
        ("branch7x7_1", inputs, inner, ImageWindow(1)),
        ("branch7x7_2", inner, inner, wide),
        ("branch7x7_3", inner, 192, high),
        ("branch7x7dbl_1", inputs, inner, ImageWindow(1)),
        ("branch7x7dbl_2", inner, inner, high),
        ("branch7x7dbl_3", inner, inner, wide),
        ("branch7x7dbl_4", inner, inner, high),
        ("branch7x7dbl_5", inner, 192, wide),
        ("branch_pool", inputs, 192, ImageWindow(1)),
      ])
  }

  private static func blockD(_ block: String, _ inputs: Int) -> [InceptionLayer] {
    layers(
      block,
      [
        ("branch3x3_1", inputs, 192, ImageWindow(1)),
        ("branch3x3_2", 192, 320, ImageWindow(3, stride: 2)),
        ("branch7x7x3_1", inputs, 192, ImageWindow(1)),
        ("branch7x7x3_2", 192, 192, wide),
        ("branch7x7x3_3", 192, 192, high),
        ("branch7x7x3_4", 192, 192, ImageWindow(3, stride: 2)),
      ])
  }

  private static func blockE(_ block: String, _ inputs: Int) -> [InceptionLayer] {
    layers(
      block,
      [
        ("branch1x1", inputs, 320, ImageWindow(1)),
        ("branch3x3_1", inputs, 384, ImageWindow(1)),
        ("branch3x3_2a", 384, 384, ImageWindow(1, 3, paddingX: 1)),
        ("branch3x3_2b", 384, 384, ImageWindow(3, 1, paddingY: 1)),
        ("branch3x3dbl_1", inputs, 448, ImageWindow(1)),
        ("branch3x3dbl_2", 448, 384, ImageWindow(3, padding: 1)),
        ("branch3x3dbl_3a", 384, 384, ImageWindow(1, 3, paddingX: 1)),
        ("branch3x3dbl_3b", 384, 384, ImageWindow(3, 1, paddingY: 1)),
        ("branch_pool", inputs, 192, ImageWindow(1)),
      ])
  }
}
