import TensorCore
import Testing

@Suite struct TensorLayoutTests {
  /// 0, 1, 2, ... so that every element tells where it came from.
  func counted(_ count: Int) -> [Float] { (0..<count).map(Float.init) }

  /// Also more outputs than the strip in which large weights are transposed.
  @Test(arguments: [2, 16, 37]) func linear(_ outputs: Int) {
    let inputs = 3
    let memory = counted(inputs * outputs)
    var file = [Float](repeating: -1, count: memory.count)
    for i in 0..<inputs {
      for o in 0..<outputs { file[o * inputs + i] = memory[i * outputs + o] }
    }
    if outputs == 2 { #expect(file == [0, 2, 4, 1, 3, 5]) }
    #expect(TensorLayout.linear.toFile(memory, shape: [outputs, inputs]) == file)
    #expect(TensorLayout.linear.toMemory(file, shape: [outputs, inputs]) == memory)
  }

  @Test(arguments: [TensorLayout.convolution, .transposedConvolution])
  func convolutions(_ layout: TensorLayout) {
    let (kh, kw, inputs, outputs) = (2, 3, 18, 19)
    let memory = counted(kh * kw * inputs * outputs)
    var file = [Float](repeating: -1, count: memory.count)
    for y in 0..<kh {
      for x in 0..<kw {
        for i in 0..<inputs {
          for o in 0..<outputs {
            let value = memory[((y * kw + x) * inputs + i) * outputs + o]
            if layout == .convolution {
              file[((o * inputs + i) * kh + y) * kw + x] = value
            } else {
              file[((i * outputs + o) * kh + y) * kw + x] = value
            }
          }
        }
      }
    }
    let shape =
      layout == .convolution ? [outputs, inputs, kh, kw] : [inputs, outputs, kh, kw]
    #expect(layout.toFile(memory, shape: shape) == file)
    #expect(layout.toMemory(file, shape: shape) == memory)
  }

  @Test func plain() {
    let values = counted(6)
    #expect(TensorLayout.plain.toFile(values, shape: [2, 3]) == values)
    #expect(TensorLayout.plain.toMemory(values, shape: [6]) == values)
    #expect(TensorLayout.plain.toFile([], shape: [0]) == [])
  }

  @Test func ranks() {
    #expect(TensorLayout.linear.accepts(fileShape: [2, 3]))
    #expect(!TensorLayout.linear.accepts(fileShape: [2, 3, 1, 1]))
    #expect(TensorLayout.convolution.accepts(fileShape: [2, 3, 1, 1]))
    #expect(!TensorLayout.transposedConvolution.accepts(fileShape: [2, 3]))
  }
}
