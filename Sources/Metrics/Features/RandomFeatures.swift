import Datasets
import Operators
import TensorCore

public struct RandomFeatures: FeatureExtractor {
  public let name = "builtin"
  public let digest = "builtin-1"
  public let protocolName = "native"
  public let widths: [FeatureTap: Int] = [.random: 1]
  public init(on engine: Engine) {}
  public func features(
    of images: [RGBImage], taps: Set<FeatureTap>, on engine: Engine
  ) -> [FeatureTap: FeatureMatrix] { [:] }
}
