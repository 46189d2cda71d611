import Foundation

/// A thread of the operating system (pthreads). The only way in which this package makes threads:
/// `Foundation.Thread` says nothing where the system refuses one, and whoever waits for its work waits
/// for ever.
package enum SystemThread {
  /// Starts a detached thread that runs `body` and ends with it.
  ///
  /// - Parameters:
  ///   - name: shown by `ps -L` and debuggers; the kernel keeps 15 bytes of it.
  ///   - body: may not throw; a thread has nobody to tell.
  /// - Throws: `ThreadError` where the system refuses.
  package static func start(
    _ name: String, _ body: @escaping @Sendable () -> Void
  ) throws(ThreadError) {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    var thread = pthread_t()
    let code = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        Thread.current.name = start.name
        start.body()
        return nil
      }, start.toOpaque())
    guard code == 0 else {
      start.release()
      throw ThreadError(name: name, code: code)
    }
  }

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      (self.name, self.body) = (name, body)
    }
  }
}

/// The system refused a thread.
package struct ThreadError: Error, Equatable, Sendable {
  /// What the thread was for.
  package let name: String
  /// The errno of `pthread_create`.
  package let code: Int32
  /// Processes and threads that this user may have (`ulimit -u`); nil: no limit.
  package let userLimit: Int?
  /// Processes and threads that the control group may have (`pids.max`); nil: no limit.
  package let groupLimit: Int?

  init(name: String, code: Int32) {
    (self.name, self.code) = (name, code)
    (userLimit, groupLimit) = (ProcessLimit.ofUser, ControlGroup().processLimit)
  }
}

extension ThreadError: CustomStringConvertible {
  package var description: String {
    let limits = [
      userLimit.map { "this user may have \($0) processes and threads (ulimit -u)" },
      groupLimit.map { "this container or job may have \($0) (pids.max of its control group)" },
    ].compactMap(\.self).joined(separator: ", ")
    return "cannot start a thread (\(name)): \(String(cString: strerror(code)))"
      + (limits.isEmpty ? "" : "; \(limits)")
      + "; raise the limit, start fewer ranks, or lower train.threads, --threads or DIFFIT_THREADS"
  }
}

/// How many processes and threads there may be.
package enum ProcessLimit {
  /// The soft limit of this user (`RLIMIT_NPROC`); nil: no limit.
  package static var ofUser: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &limit) == 0,
      limit.rlim_cur != .max
    else { return nil }
    return Int(clamping: limit.rlim_cur)
  }
}
