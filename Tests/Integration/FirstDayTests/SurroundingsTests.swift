import Foundation
import ProcessSupport
import Testing

extension FirstDayTests {
  /// What the shell and the system around the program bring.
  @Suite struct SurroundingsTests {
    let scene: Scene

    init() throws { scene = try Scene() }

    @Test(arguments: ["abc", "100000", "-1", "1.5", "99999999999999999999"])
    func threadsOfTheEnvironmentAreChecked(count: String) throws {
      for ranks in ["", "$mpirun -n 2 "] {
        for command in ["doctor", "train --config \"$config\"", "inspect x", "sample x --out y"] {
          try scene.refused(
            2, "DIFFIT_THREADS=\(count) \(ranks)\"$diffit\" \(command)", "DIFFIT_THREADS \(count):",
            "0 to 4096")
        }
      }
      let help = try scene.run("DIFFIT_THREADS=\(count) \"$diffit\" train --help")
      #expect(help.code == 0)
    }

    @Test func threadsOfOptionsAreChecked() throws {
      for command in ["bench --threads 4097", "parity x --threads 100000"] {
        try scene.refused(2, "\"$diffit\" \(command)", "--threads", "4096")
      }
      for script in ["local.sh\"", "cluster.sh\" --hosts x"] {
        let outcome = try scene.run("\"$root/launch/\(script) --threads 4097 -- doctor")
        #expect(outcome.code == 2 && outcome.errors.contains("--threads is '4097'"))
      }
    }

    /// All ranks see the same crowd of threads; one line is enough.
    @Test func aWarningThatRanksShareIsSaidOnce() throws {
      let outcome = try scene.good(
        "$mpirun -n 2 \"$diffit\" train --config \"$config\" --run run \(Scene.small)"
          + " --set train.threads=64")
      #expect(outcome.complaints.count == 1, "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("warning: 2 x 64 threads share "), "\(outcome.errors)")
    }

    /// A group that works on one run needs to write its files.
    @Test func filesFollowTheUmask() throws {
      try scene.good(
        "umask 002 && \"$diffit\" train --config \"$config\" --run run \(Scene.small)"
          + " --set sample.every=32 && \"$diffit\" sample run --seeds 0 --steps 2 --out images"
          + " && \"$diffit\" export run --out model.safetensors")
      let listed = try scene.good("find . -type f ! -perm -g+w; find . -type d ! -perm -g+w")
      // The test's own folder is not the program's.
      #expect(listed.lines.filter { $0 != "." }.isEmpty, "\(listed.output)")
    }

    @Test func aFileThatGrowsBeyondItsLimitIsTold() throws {
      try scene.refused(
        1,
        "ulimit -f 8; exec \"$diffit\" train --config \"$config\" --run run \(Scene.small)"
          + " --set log.report=false --set log.tensorboard=false",
        "File too large", "ulimit -f")
    }

    /// Names and metadata of others cannot act upon the terminal.
    @Test func escapeSequencesAreVisible() throws {
      let name = "a\u{1B}[31mb\nc"
      try scene.refused(
        1, "\"$diffit\" inspect \"$(printf 'a\\033[31mb\\nc')\"", #"a\u{1b}[31mb\nc"#)
      let outcome = try scene.run("\"$diffit\" evaluate \"$(printf 'a\\033[31mb\\nc')\"")
      #expect(!outcome.errors.contains("\u{1B}"))
      #expect(!outcome.errors.contains(name))
    }

    /// What launch/install.sh installs beside the program.
    @Test func manualAndCompletions() throws {
      try scene.good("\"$diffit\" manual --out man1")
      let pages = try FileManager.default.contentsOfDirectory(atPath: scene.path("man1")).sorted()
      #expect(pages.contains("diffit.1") && pages.contains("diffit-data-info.1"))
      #expect(!pages.contains { $0.contains("manual") || $0.contains("help") })
      let page = try scene.text("man1/diffit-sample.1")
      #expect(page.hasPrefix(".TH \"DIFFIT-SAMPLE\" 1 "))
      #expect(page.contains(".B \\-\\-seeds <0\\-63,70>\n"))
      #expect(!page.contains("\n'") && !page.split(separator: "\n").contains { $0 == "." })
      for shell in ["bash", "zsh", "fish"] {
        let script = try scene.good("\"$diffit\" --generate-completion-script \(shell)").output
        #expect(script.contains("sample") && script.contains("seeds"))
      }
    }
  }
}
