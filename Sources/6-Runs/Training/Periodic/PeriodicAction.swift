/// Something that a run does between two steps, whenever it has seen a certain number of images.
protocol PeriodicAction: AnyObject {
  /// Images between two runs of the action; 0: it is not run while training goes on.
  var every: Int { get }
  /// Collective.
  func run() throws
}

extension PeriodicAction {
  /// Whether the action has come due in a step from `before` to `now` images: at the first step
  /// that ends at or past a multiple of `every`.
  func isDue(from before: Int, to now: Int) -> Bool {
    every > 0 && before / every != now / every
  }
}
