import Configuration
import Foundation
import SystemSupport
import TensorCore

/// What `diffit scaling measure` found on one number of ranks: a file of `diffit scaling predict`.
package struct ScalingMeasurement: Codable, Equatable, Sendable {
  /// A network as far as time is concerned.
  package struct Network: Codable, Equatable, Sendable {
    /// Number of parameters.
    package var parameters: Int
    /// Elements of the flat gradient range, f32, alignment gaps included.
    package var gradientElements: Int
    /// Of a training step: forward and backward.
    package var flopsPerImage: Int
    /// Channels of each resolution, from the largest on.
    package var channels: [Int]
    /// Blocks of each resolution, from the largest on.
    package var blocks: [Int]

    enum CodingKeys: String, CodingKey {
      case parameters, channels, blocks
      case gradientElements = "gradient_elements"
      case flopsPerImage = "flops_per_image"
    }
  }

  /// A step without messages, while all ranks are at work; medians of the slowest rank.
  package struct Alone: Codable, Equatable, Sendable {
    /// Seconds of the whole step.
    package var seconds: Double
    /// Seconds of the forward pass.
    package var forward: Double
    /// Seconds of the backward pass.
    package var backward: Double
    /// Seconds of the optimizer and the weight averages.
    package var optimizer: Double
  }

  /// A step of all ranks together; medians of the slowest rank.
  package struct Together: Codable, Equatable, Sendable {
    /// Seconds of the whole step.
    package var seconds: Double
    /// Time in which a rank did nothing but communicate, or wait for others to.
    package var exposedCommunication: Double
    /// Gradients under way while backward ran; none in a file of an older version.
    package var hiddenCommunication: Double?

    enum CodingKeys: String, CodingKey {
      case seconds
      case exposedCommunication = "exposed_communication"
      case hiddenCommunication = "hidden_communication"
    }
  }

  /// The version of the file's form that this program writes and reads.
  package static let currentVersion = 1
  /// The version of the file's form.
  package var formatVersion = currentVersion
  /// The program that measured, as `Build.description`; nil in a file of a version before 0.2.
  package var build: String?
  /// Number of ranks.
  package var ranks: Int
  /// The host of each rank, in the order of ranks.
  package var hosts: [String]
  /// Threads of each rank.
  package var threads: Int
  /// The instruction set that the ranks agreed on.
  package var kernels: String
  /// Precision of activations and products.
  package var precision: TrainSettings.Precision
  /// Name and version of the MPI library.
  package var mpi: String
  /// The network whose steps were timed.
  package var network: Network
  /// Images per rank and step.
  package var batch: Int
  /// Images that a rank computes at once.
  package var microBatch: Int
  /// `train.batch` of the configuration, for strong scaling.
  package var globalBatch: Int
  /// Size of gradient buckets in 10^6 bytes.
  package var bucketMB: Double
  /// Steps that were timed.
  package var steps: Int
  /// Steps without any message between ranks.
  package var alone: Alone
  /// Nil on one rank, as `gradient`.
  package var together: Together?
  /// The network's whole gradient buffer in one sum.
  package var gradient: AllReduceTiming?
  /// Sums by size; none on one rank.
  package var allReduce: [AllReduceTiming]

  enum CodingKeys: String, CodingKey {
    case build, ranks, hosts, threads, kernels, precision, mpi, network, batch, steps, alone,
      together
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
    } catch {
      throw ScalingError.notAMeasurement(path: path, reason: DecodingError.oneLine(of: error))
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
}
