/// Updates that a run left out because a loss or a gradient was not finite.
public struct SkippedUpdates: Equatable, Sendable {
  /// How many, since the run began.
  public private(set) var total = 0
  /// How many one after the other, up to now.
  public private(set) var inARow = 0
  /// Images seen before the last step that was not left out: with the weights of that moment loss
  /// and gradients were finite. 0: there was no such step.
  public private(set) var provenAt = 0

  private static let keys = (
    total: "skipped_updates", inARow: "skipped_in_a_row", provenAt: "last_finite_step"
  )

  /// None.
  public init() {}

  /// Continues from the counts in a checkpoint; older versions wrote only `skipped_updates`.
  public init(progress: [String: Double]) {
    func count(_ key: String) -> Int { Int(progress[key] ?? 0) }
    (total, inARow) = (count(Self.keys.total), count(Self.keys.inARow))
    provenAt = count(Self.keys.provenAt)
  }

  /// The counts for a checkpoint.
  public var progress: [String: Double] {
    [
      Self.keys.total: Double(total), Self.keys.inARow: Double(inARow),
      Self.keys.provenAt: Double(provenAt),
    ]
  }

  /// Notes an update that was made in the step after `images` images.
  public mutating func noteUpdate(at images: Int) { (inARow, provenAt) = (0, images) }

  /// Notes an update that was left out.
  public mutating func noteSkip() { (total, inARow) = (total + 1, inARow + 1) }

  /// While updates are being left out: images up to which checkpoints have proven good, so that the
  /// newest of them must not be removed. Nil while training goes well.
  public var lastGood: Int? { inARow > 0 ? provenAt : nil }
}
