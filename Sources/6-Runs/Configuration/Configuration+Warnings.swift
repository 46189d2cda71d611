extension Configuration {
  /// What is allowed, and likely not to do what its user wants; one sentence each.
  package var warnings: [String] {
    guard model.kind == .latent && diffusion.kind == .ddpm && diffusion.schedule == .cosine else {
      return []
    }
    return [
      "diffusion.schedule: cosine ends in noise alone, from where samplers overshoot latents, which are"
        + " cut to no range: samples come out too bright; linear does not"
    ]
  }
}
