/// What a command says whose job this version does not have.
struct JobNotBuilt: Error, CustomStringConvertible {
  let name: String
  var description: String { "\(name): this version does not have this command's work yet" }
}

public enum TrainJob {
  public static func run(_ options: TrainOptions) throws {
    _ = try options.configuration()
    throw JobNotBuilt(name: "train")
  }
}

public enum SampleJob {
  public static func run(_ options: SampleOptions) throws { throw JobNotBuilt(name: "sample") }
}

public enum ParityCheck {
  public static func run(_ options: ParityOptions) throws { throw JobNotBuilt(name: "parity") }
}

public enum Benchmark {
  public static func run(_ options: BenchOptions) throws {
    _ = try options.configuration()
    throw JobNotBuilt(name: "bench")
  }
}

public enum Inspection {
  public static func run(_ options: InspectOptions) throws { throw JobNotBuilt(name: "inspect") }
}

public enum Export {
  public static func run(_ options: ExportOptions) throws { throw JobNotBuilt(name: "export") }
}

public enum Doctor {
  public static func run(_ options: DoctorOptions) throws { throw JobNotBuilt(name: "doctor") }
}
