import TensorCore
import Testing

@Suite struct TensorTests {
  let context = ComputeContext()

  func counting(_ shape: Shape) -> Tensor {
    Tensor((0..<shape.count).map(Float.init), shape, on: context)
  }

  @Test func shapesDescribeRowsAndChannels() {
    let shape: Shape = [2, 3, 4, 5]
    #expect(shape.count == 120 && shape.rank == 4 && shape[2] == 4)
    #expect(shape.channels == 5 && shape.rows == 24)
    #expect("\(shape)" == "[2, 3, 4, 5]")
    let scalar: Shape = []
    #expect(scalar.count == 1 && scalar.channels == 1 && scalar.rows == 1)
  }

  @Test func dTypesKnowTheirSize() {
    #expect(DType.float32.size == 4 && DType.bfloat16.size == 2)
    let half = Tensor([3, 5], .bfloat16, on: context)
    half.withBytes { #expect($0.count == 30) }
    half[1..<2].withBytes { row in
      half.withBytes { #expect(row.baseAddress == $0.baseAddress.map { $0 + 10 }) }
    }
  }

  @Test func valuesGoInAndComeOut() {
    let values: [Float] = [1, -2, 3.5, .infinity, 0, -0.0]
    #expect(Tensor(values, [2, 3], on: context).floats == values)
    #expect(Tensor(zeros: [3, 3], on: context).floats == [Float](repeating: 0, count: 9))
    #expect(Tensor([], [0, 3], on: context).floats == [])
    #expect(Tensor([4], [], on: context).floats == [4])
  }

  @Test func zerosAreZeroAlsoInRecycledMemory() {
    var used: Tensor? = counting([64])
    let before = used?.withFloats { UInt(bitPattern: $0) }
    used = nil
    let zeros = Tensor(zeros: [64], on: context)
    #expect(zeros.withFloats { UInt(bitPattern: $0) } == before)
    #expect(zeros.floats.allSatisfy { $0 == 0 })
  }

  @Test func copiesReshapesAndViewsShareMemory() {
    let tensor = counting([4, 6])
    let copy = tensor
    let reshaped = tensor.reshaped([2, 3, 4])
    let rows = tensor[1..<3]
    let view = rows.view(at: 5, [2, 2])
    #expect(reshaped.shape == [2, 3, 4])
    #expect(rows.shape == [2, 6] && rows.offset == 6)
    #expect(rows.floats == (6..<18).map(Float.init))
    #expect(view.offset == 11 && view.floats == [11, 12, 13, 14])
    view.fill(-1)
    let expected = (0..<24).map { (11...14).contains($0) ? Float(-1) : Float($0) }
    #expect(tensor.floats == expected && copy.floats == expected && reshaped.floats == expected)
  }

  @Test func aViewKeepsItsMemoryAlive() {
    var tensor: Tensor? = counting([8, 8])
    let row = tensor?[3..<4]
    tensor = nil
    let other = Tensor(zeros: [8, 8], on: context)
    #expect(row?.floats == (24..<32).map(Float.init))
    #expect(context.memory.liveBytes == 2 * other.storage.byteCount)
  }

  @Test func copyFromTakesTheElementsOfAnotherShape() {
    let from = counting([3, 4])
    let to = Tensor(zeros: [2, 12], on: context)
    to[1..<2].copy(from: from)
    #expect(to.floats == [Float](repeating: 0, count: 12) + from.floats)
  }

  @Test func severalTensorsAreReachedAtOnce() {
    let tensors = (0..<5).map { Tensor([Float($0)], [1], on: context) }
    withFloats(tensors[0], tensors[1], tensors[2], tensors[3], tensors[4]) { a, b, c, d, e in
      #expect([a[0], b[0], c[0], d[0], e[0]] == [0, 1, 2, 3, 4])
    }
  }

  @Test func shapesThatDoNotFitTrap() async {
    await #expect(processExitsWith: .failure) { _ = Shape([2, -1]) }
    await #expect(processExitsWith: .failure) { _ = Tensor([1, 2], [3], on: ComputeContext()) }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3], on: ComputeContext()).reshaped([7])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3], on: ComputeContext()).view(at: 4, [3])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3], on: ComputeContext()).view(at: -1, [3])
    }
    await #expect(processExitsWith: .failure) {
      _ = Tensor(zeros: [2, 3], on: ComputeContext())[1..<3]
    }
    await #expect(processExitsWith: .failure) {
      Tensor(zeros: [2, 3], on: ComputeContext()).copy(
        from: Tensor(zeros: [5], on: ComputeContext()))
    }
    await #expect(processExitsWith: .failure) {
      Tensor([2], .bfloat16, on: ComputeContext()).fill(0)
    }
  }
}
