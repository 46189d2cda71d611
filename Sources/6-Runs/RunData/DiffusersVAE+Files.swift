import Foundation
import SystemSupport

extension DiffusersVAE {
  /// What the names of all files of weights begin with.
  private static let stem = "diffusion_pytorch_model"
  /// Variants that are read where there is no file without one, the most exact first.
  private static let variants = ["fp32", "fp16", "bf16"]

  /// The file of a folder's weights, or the index of its files: the plain one, else that of a
  /// variant, as diffusers names them: `diffusion_pytorch_model.fp16.safetensors`,
  /// `diffusion_pytorch_model.safetensors.index.json`,
  /// `diffusion_pytorch_model.safetensors.index.fp16.json`.
  ///
  /// - Throws: `AutoencoderError.weightsMissing`, which names files of other formats that are there.
  static func weightsPath(in folder: URL) throws -> String {
    let names = try FileSystem.names(in: folder.path) ?? []
    func path(_ name: String) -> String { Files.join(folder.path, name) }
    for variant in [""] + variants.map({ ".\($0)" }) {
      let candidates = [
        "\(stem)\(variant).safetensors", "\(stem).safetensors.index\(variant).json",
        "\(stem)\(variant).safetensors.index.json",
      ]
      if let found = candidates.first(where: names.contains) { return path(found) }
    }
    // A variant with a name of its own.
    if let found = names.first(where: { isOtherVariant($0) }) { return path(found) }
    let others = names.filter { name in
      [".bin", ".pt", ".pth", ".ckpt", ".msgpack", ".onnx"].contains(where: name.hasSuffix)
    }
    throw AutoencoderError.weightsMissing(folder: folder.path, found: others)
  }

  /// `diffusion_pytorch_model.NAME.safetensors`, without files of a sharded network.
  private static func isOtherVariant(_ name: String) -> Bool {
    name.hasPrefix("\(stem).") && name.hasSuffix(".safetensors") && !name.contains("-of-")
  }
}
