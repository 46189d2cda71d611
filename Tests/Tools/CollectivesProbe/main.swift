// One rank of the collectives' tests: runs the named check and exits 0, or says in one line what was
// wrong and ends the job. The tests start it under mpirun.

import COpenBLAS
import Collectives
import Foundation
import SystemSupport

/// What a check found wrong.
struct Wrong: Error, CustomStringConvertible {
  let description: String
}

/// An error with an exit code of its own.
struct BadSetting: ExitCoded, CustomStringConvertible {
  let description: String
  let exitCode: Int32 = 2
}

func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws {
  if !condition { throw Wrong(description: message()) }
}

let checks: [String: (any Communicator) throws -> Void] = [
  "ranks": checkRanks, "values": checkValues, "memory": checkMemory, "chunks": checkMemory,
  "reducer": checkReducer, "tree": checkTree, "pieces": checkPieces, "digests": checkDigests,
  "agreement": checkAgreement,
  "failure": failOnOneRank, "unequal": differOnOneRank, "abort": abortOnOneRank, "report": report,
  "blas": checkOpenBLAS,
  "wait": waitForSignal,
]

let name = CommandLine.arguments.dropFirst().first ?? ""
guard let check = checks[name] else {
  print("CollectivesProbe: no check \(name)")
  exit(2)
}
if name == "blas" { copenblas_repair() }
let communicator: any Communicator
do {
  // Messages of 7 elements, so that small data take the way of large ones.
  communicator = name == "chunks" ? try MPICommunicator(chunk: 7) : try Launcher().start()
} catch {
  print("start: \(error)")
  exit(3)
}
do {
  try check(communicator)
  try communicator.finalize()
} catch {
  let agreement = error as? CommunicationError
  guard let spokesman = agreement?.spokesman else {
    print("wrong: rank \(communicator.rank): \(error)")
    communicator.abort(code: 1)
  }
  if spokesman == communicator.rank { print("agreed: \(error)") }
  try communicator.finalize()
  exit(agreement?.exitCode ?? 1)
}
