// Scores of given features: reads rows from a safetensors file and writes one JSON line a metric. Tests
// start it under mpirun; compare_scores.py holds its numbers against other programs.

import COpenBLAS
import Collectives
import Foundation
import Metrics
import Scores

copenblas_repair()
let usage = """
  usage: MetricsProbe FEATURES.safetensors [threads=N] [batch=N] [parts=N] [subsets=N] [subset_size=N]
    FEATURES has f32 tensors samples.TAP and reference.TAP, [images, width], TAP being \
  \(FeatureKind.allCases.map(\.rawValue).joined(separator: ", "))
  """
guard let job = ScoreJob(Array(CommandLine.arguments.dropFirst())) else {
  print(usage)
  exit(2)
}
let communicator: any Communicator
do { communicator = try Launcher().start() } catch {
  print("start: \(error)")
  exit(3)
}
do {
  try job.run(over: communicator)
  try communicator.finalize()
} catch {
  let agreement = error as? CommunicationError
  guard let spokesman = agreement?.spokesman else {
    print("rank \(communicator.rank): \(error)")
    communicator.abort(code: 1)
  }
  if spokesman == communicator.rank { print("agreed: \(error)") }
  try communicator.finalize()
  exit(agreement?.exitCode ?? 1)
}
