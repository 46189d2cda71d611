/// A length of time in images: a number of them, or a share of the run.
package enum ImageSpan: Equatable, Sendable {
  case images(Int)
  /// In percent of `train.images`, 0 to 100.
  case share(percent: Double)

  /// Reads `500k` or `10%`; nil for other texts.
  package init?(text: String) {
    guard text.hasSuffix("%") else {
      guard let count = ImageCount.parse(text) else { return nil }
      self = .images(count)
      return
    }
    guard let percent = DecimalText.parse(String(text.dropLast())), (0...100).contains(percent)
    else { return nil }
    self = .share(percent: percent)
  }

  /// As `init(text:)` reads it.
  package var text: String {
    switch self {
    case .images(let count): "\(count)"
    case .share(let percent): "\(DecimalText.short(percent))%"
    }
  }

  /// Whether it is no time at all.
  package var isZero: Bool { self == .images(0) || self == .share(percent: 0) }

  /// Whether it depends on the length of the run.
  package var isShare: Bool {
    if case .share = self { true } else { false }
  }

  /// The number of images in a run of `total` images.
  package func images(of total: Int) -> Int {
    switch self {
    case .images(let count): count
    case .share(let percent): Int((Double(total) * percent / 100).rounded())
    }
  }
}

extension ImageSpan: ExpressibleByIntegerLiteral {
  /// A number of images.
  package init(integerLiteral images: Int) { self = .images(images) }
}
