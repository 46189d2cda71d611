import TensorCore

/// Threads for tests that keep them in a property. It ends the tests where the system refuses a thread.
package func threadPool(of count: Int) -> ThreadPool {
  do { return try ThreadPool(threadCount: count) } catch { fatalError("\(error)") }
}
