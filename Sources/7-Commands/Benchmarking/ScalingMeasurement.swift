import Configuration
import Foundation
import TensorCore

/// What `diffit scaling measure` found on one number of ranks: a file of `diffit scaling predict`.
package struct ScalingMeasurement: Codable, Equatable, Sendable {
  /// A network as far as time is concerned.
  package struct Network: Codable, Equatable, Sendable {
    package var parameters: Int
    /// Elements of the flat gradient range, f32, alignment gaps included.
    package var gradientElements: Int
    /// Of a training step: forward and backward.
    package var flopsPerImage: Int
    package var channels: [Int]
    package var blocks: [Int]

    package enum CodingKeys: String, CodingKey {
      case parameters, channels, blocks
      case gradientElements = "gradient_elements"
      case flopsPerImage = "flops_per_image"
    }
  }

  /// A step of a rank by itself, all ranks at work at the same time; medians of the slowest rank.
  package struct Alone: Codable, Equatable, Sendable {
    package var seconds: Double
    package var forward: Double
    package var backward: Double
    package var optimizer: Double
  }

  /// A step of all ranks together; medians of the slowest rank.
  package struct Together: Codable, Equatable, Sendable {
    package var seconds: Double
    /// Time in which a rank did nothing but communicate, or wait for others to.
    package var exposedCommunication: Double
    /// Gradients under way while backward ran; none in a file of an older version.
    package var hiddenCommunication: Double?

    package enum CodingKeys: String, CodingKey {
      case seconds
      case exposedCommunication = "exposed_communication"
      case hiddenCommunication = "hidden_communication"
    }
  }

  package static let currentVersion = 1
  package var formatVersion = currentVersion
  package var ranks: Int
  /// One name a rank.
  package var hosts: [String]
  package var threads: Int
  package var kernels: String
  package var precision: TrainSettings.Precision
  package var mpi: String
  package var network: Network
  /// Images a rank and step, and how many at once.
  package var batch: Int
  package var microBatch: Int
  /// `train.batch` of the configuration, for strong scaling.
  package var globalBatch: Int
  package var bucketMB: Double
  package var steps: Int
  package var alone: Alone
  /// Nil on one rank, as `gradient`.
  package var together: Together?
  /// The network's whole gradient buffer in one sum.
  package var gradient: AllReduceTiming?
  /// Sums by size; none on one rank.
  package var allReduce: [AllReduceTiming]

  package enum CodingKeys: String, CodingKey {
    case ranks, hosts, threads, kernels, precision, mpi, network, batch, steps, alone, together
    case gradient
    case formatVersion = "format_version"
    case microBatch = "micro_batch"
    case globalBatch = "global_batch"
    case bucketMB = "bucket_mb"
    case allReduce = "allreduce"
  }
}

extension ScalingMeasurement {
  /// Reads a file, and refuses one that nothing can be computed from.
  package init(file path: String) throws {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw ScalingError.notAMeasurement(path: path, reason: "cannot be read")
    }
    do {
      self = try JSONDecoder().decode(ScalingMeasurement.self, from: data)
    } catch let error as DecodingError {
      throw ScalingError.notAMeasurement(path: path, reason: ScalingMeasurement.reason(error))
    } catch {
      throw ScalingError.notAMeasurement(path: path, reason: "not JSON")
    }
    if let problem { throw ScalingError.notAMeasurement(path: path, reason: problem) }
  }

  /// What of the numbers cannot be; nil where all can.
  private var problem: String? {
    if formatVersion != Self.currentVersion {
      return "format_version is \(formatVersion), expected \(Self.currentVersion)"
    }
    let counts = [
      ("ranks", ranks), ("batch", batch), ("micro_batch", microBatch),
      ("global_batch", globalBatch),
      ("network.gradient_elements", network.gradientElements),
      ("network.flops_per_image", network.flopsPerImage),
    ]
    if let (key, value) = counts.first(where: { $0.1 < 1 || $0.1 > 1 << 50 }) {
      return "\(key) is \(value), expected a whole number from 1 on"
    }
    var times = [
      ("alone.seconds", alone.seconds), ("alone.forward", alone.forward),
      ("alone.backward", alone.backward), ("alone.optimizer", alone.optimizer),
      ("bucket_mb", bucketMB),
    ]
    if let together { times.append(("together.seconds", together.seconds)) }
    for timing in points {
      times += [("allreduce.seconds", timing.seconds), ("allreduce.bytes", Double(timing.bytes))]
    }
    if let (key, value) = times.first(where: { !($0.1 > 0 && $0.1 < 1e15) }) {
      return "\(key) is \(value), expected a number above 0"
    }
    if alone.optimizer + alone.backward > 1.0001 * alone.seconds {
      return "alone.seconds is \(alone.seconds), less than its phases together"
    }
    return ranks == 1 && !points.isEmpty ? "allreduce has times, but ranks is 1" : nil
  }

  /// Every all-reduce that was timed.
  package var points: [AllReduceTiming] { allReduce + (gradient.map { [$0] } ?? []) }

  private static func reason(_ error: DecodingError) -> String {
    func name(_ path: [any CodingKey]) -> String {
      path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context): return "\(name(context.codingPath + [key])) is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      let path = name(context.codingPath)
      return (path.isEmpty ? "the file" : path) + " has another type than expected"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      return "\(name(context.codingPath)) has an unknown value"
    default: return "not JSON"
    }
  }
}
