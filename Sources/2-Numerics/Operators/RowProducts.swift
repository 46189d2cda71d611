import CKernels
import TensorCore

extension ComputeContext {
  /// The most rows for which threads share the columns; beyond it, packing a weight is a small part
  /// of the product.
  private static var mostRows: Int { 1024 }
  /// The largest packed panel, in bytes, that stays in the cache of one core.
  private static var mostPanelBytes: Int { 1 << 20 }

  /// y = x w, or x w^T, on the rows of x, plus what `epilogue` adds.
  ///
  /// Shapes: x [..., K], w [K, N], transposed [N, K] -> y [..., N].
  func rowProduct(
    _ name: @autoclosure () -> String, _ x: Tensor, _ weight: Weight, transposed: Bool,
    _ epilogue: Epilogue, into y: Tensor?
  ) {
    let (rows, k) = (x.shape.rows, x.shape.channels)
    let n = transposed ? weight.shape.rows : weight.shape.channels
    if !weight.keepsPanels && packsInCache(rows: rows, k, n, x.dtype) {
      productByColumns(
        name(), x, weight.values, transposed: transposed, columns: n, epilogue, into: y)
    } else {
      let panels = weight.packed(x.dtype, taps: 1, k: k, n: n, transposed: transposed)
      let geometry = ProductGeometry.linear(rows: rows, inputs: k, outputs: n)
      product(name(), [geometry], x, panels, epilogue, into: y)
    }
  }

  /// Whether threads should share the columns of a product: it has few rows, and enough panels for
  /// all threads.
  private func packsInCache(rows: Int, _ k: Int, _ n: Int, _ dtype: DType) -> Bool {
    let columns = Int(kernels.table.pointee.panel_columns)
    let panels = (n + columns - 1) / columns
    let turns = (panels + threads.count - 1) / threads.count
    let bytes = Int(kernels[dtype].packed_bytes(1, Int64(k), Int64(columns)))
    return rows <= Self.mostRows && bytes <= Self.mostPanelBytes
      && 8 * turns * threads.count <= 9 * panels
  }

  /// A product whose weight is read once. Each thread packs one panel, multiplies all rows by it
  /// while it lies in the thread's cache, and takes the next one, so that no packed panel goes to
  /// memory and back.
  private func productByColumns(
    _ name: @autoclosure () -> String, _ x: Tensor, _ weight: Tensor, transposed: Bool,
    columns n: Int, _ epilogue: Epilogue, into y: Tensor?
  ) {
    let (rows, k) = (x.shape.rows, x.shape.channels)
    let kernels = kernels[x.dtype]
    let panel = Int(self.kernels.table.pointee.panel_columns)
    let panels = (n + panel - 1) / panel
    let pitch = (Int(kernels.packed_bytes(1, Int64(k), Int64(panel))) + 63) / 64 * 64
    let scratch = Tensor([threads.count, pitch / x.dtype.size], x.dtype, on: self)
    let size = (y ?? epilogue.activated)?.dtype.size ?? 0
    storing(name(), flops: 2 * rows * k * n, x, weight, epilogue, into: y) {
      from, weight, stores, to in
      let weight = weight.assumingMemoryBound(to: Float.self)
      scratch.withElements { scratch in
        threads.run { part in
          let packed = scratch + part * pitch
          for index in panels * part / threads.count..<panels * (part + 1) / threads.count {
            let begin = index * panel
            let end = min(begin + panel, n)
            kernels.pack(
              weight, 1, Int64(k), Int64(n), transposed ? 1 : 0, Int64(begin), Int64(end), packed)
            var g = ProductGeometry.linear(rows: rows, inputs: k, outputs: end - begin)
            g.out_pitch = Int64(n)
            var stores = stores.moved(by: begin, size: size)
            kernels.product(
              &g, 0, Int64(rows), from, packed, &stores, to.map { $0 + begin * size })
          }
        }
      }
    }
  }
}

extension dk_epilogue {
  /// The epilogue of the columns from `column` on, for results of `size` bytes per element.
  fileprivate func moved(by column: Int, size: Int) -> dk_epilogue {
    dk_epilogue(
      bias: bias.map { $0 + column }, least: least.map { $0 + column },
      addend: addend.map { $0 + column * size }, activated: activated.map { $0 + column * size },
      output: output)
  }
}
