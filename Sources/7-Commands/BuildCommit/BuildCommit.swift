import Foundation
import PackagePlugin

/// Writes a source file that names the commit which a program is built from:
/// `let buildCommit = "abcdef0"`, or `"unknown"` where git does not know the folder.
///
/// The command runs when git's log of HEAD has changed, so a build after a commit or a checkout
/// names the new commit, and a build without one compiles nothing again. Uncommitted changes do not
/// show.
@main
struct BuildCommit: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root = context.package.directoryURL
    let output = context.pluginWorkDirectoryURL.appending(path: "BuildCommit.swift")
    // A build as another user than the owner of the folder is no reason to refuse.
    let script = """
      commit=$(git -c safe.directory='*' -C "$1" rev-parse --short=7 HEAD 2>/dev/null)
      printf 'let buildCommit = "%s"\\n' "${commit:-unknown}" >"$2"
      """
    let log = Self.logOfHead(in: root)
    return [
      .buildCommand(
        displayName: "Asking git for the commit", executable: URL(fileURLWithPath: "/bin/sh"),
        arguments: ["-c", script, "sh", root.path, output.path],
        inputFiles: FileManager.default.fileExists(atPath: log.path) ? [log] : [],
        outputFiles: [output])
    ]
  }

  /// The file to which git adds a line for each commit and checkout.
  private static func logOfHead(in root: URL) -> URL {
    let git = root.appending(path: ".git")
    // In a worktree `.git` is a file: `gitdir: /elsewhere/.git/worktrees/name`.
    let link = (try? String(contentsOf: git, encoding: .utf8)) ?? ""
    guard link.hasPrefix("gitdir: ") else { return git.appending(path: "logs/HEAD") }
    let path = link.dropFirst("gitdir: ".count).trimmingCharacters(in: .whitespacesAndNewlines)
    return URL(fileURLWithPath: path, relativeTo: root).appending(path: "logs/HEAD")
  }
}
