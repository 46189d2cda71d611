import ArgumentParser
import Configuration
import Diffusion
import Training

extension TrainSettings.Precision: ExpressibleByArgument {}
extension SampleSettings.Sampler: ExpressibleByArgument {}
extension SampleSettings.Schedule: ExpressibleByArgument {}
extension DiffusionSettings.Schedule: ExpressibleByArgument {}

/// `auto`, `never` or a path.
extension TrainOptions.Resume: ExpressibleByArgument {
  package init?(argument: String) {
    switch argument {
    case "": return nil
    case "auto": self = .auto
    case "never": self = .never
    default: self = .checkpoint(argument)
    }
  }

  package var defaultValueDescription: String {
    switch self {
    case .auto: "auto"
    case .never: "never"
    case .checkpoint(let path): path
    }
  }
}
