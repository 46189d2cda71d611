import TensorCore

/// Some of this rank's images of a step, as tensors: as many as go through the network at once.
package struct MicroBatch {
  /// Each image's position in the run's sequence of images, [B].
  let positions: [UInt64]
  /// [B, H, W, C], in about [-1, 1].
  let images: Tensor
  /// One class per image, [B]. Nil: the network is unconditional. An entry that is nil: the image
  /// is trained without its label, for classifier-free guidance.
  let labels: [Int?]?
  /// Augmentation labels, [B, 9]; nil without augmentation.
  let augment: Tensor?
  /// Whether it is the last one that this rank works on in the step.
  let isLast: Bool
}

/// Images whose gradients are always added up first, in the same order: a canonical shard of the
/// batch. In a `fast` reduction it is all that this rank works on.
struct CanonicalShard {
  /// Its place among the canonical shards of this rank.
  let index: Int
  let microBatches: [MicroBatch]
}
