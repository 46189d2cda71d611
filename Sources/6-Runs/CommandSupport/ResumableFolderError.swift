import SystemSupport

/// Why work in a folder cannot be continued. Each description is one line.
package enum ResumableFolderError: Error, Equatable, Sendable {
  /// The record of how the files were made cannot be read.
  case brokenRecord(path: String, reason: String)
  /// The folder holds files that were made with other options.
  case madeOtherwise(folder: String, difference: String)
  /// The folder holds files and no record of how they were made.
  case unknownOrigin(folder: String)
}

extension ResumableFolderError: CustomStringConvertible {
  package var description: String { Format.line(text) }

  private var text: String {
    switch self {
    case .brokenRecord(let path, let reason):
      "\(path): not a record that this program wrote: \(reason); remove it together with its folder's"
        + " images"
    case .madeOtherwise(let folder, let difference):
      "\(folder): holds images converted otherwise: \(difference); give the same options again, or"
        + " remove the folder"
    case .unknownOrigin(let folder):
      "\(folder): holds files, but no convert.json that tells how they were made; remove the folder"
    }
  }
}

extension ResumableFolderError: ExitCoded {
  /// 2 where the command or the configuration has to change, else 1.
  package var exitCode: Int32 {
    switch self {
    case .madeOtherwise, .unknownOrigin: 2
    case .brokenRecord: 1
    }
  }
}
