/// Which files of a target need which others, by the names in them.
///
/// File A needs file B where A names a top-level type, function or variable of B, or uses a member
/// that only B of this target declares, in an extension. Names that A declares itself, and members
/// that the standard library has too, are left out: an edge that is missed costs less than a wrong one.
struct FileGraph {
  struct Edge: Hashable {
    let from: Int
    let to: Int
  }

  let files: [SwiftFile]
  /// A name that makes each edge.
  private(set) var edges: [Edge: String] = [:]
  /// Groups of more than one file in which each needs each other, directly or through others;
  /// the largest first. Indices into `files`, sorted.
  private(set) var circles: [[Int]] = []

  /// - Parameter foreign: members that other targets declare; uses of them tell nothing.
  init(_ files: [SwiftFile], foreign: Set<String>) {
    self.files = files
    let types = FileGraph.homes(files.map(\.types))
    let globals = FileGraph.homes(files.map(\.globals))
    let members = FileGraph.homes(files.map(\.visibleMembers))
    for (from, file) in files.enumerated() {
      for use in file.uses.sorted(by: { $0.key < $1.key }) {
        var homes: [Int] = []
        if !use.isMember, !file.types.contains(use.name) {
          homes += types[use.name] ?? []
          // A bare word may also be a member that a protocol's extension gives to a type.
          if !file.declared.contains(use.name), members[use.key] == nil,
            !foreign.contains(use.key)
          {
            homes += globals[use.key] ?? []
          }
        }
        if let home = members[use.key], home.count == 1, files[home[0]].members[use.key] != nil,
          !foreign.contains(use.key),
          !FileGraph.common.contains(use.name), !file.ownKeys.contains(use.key),
          use.isMember || isOwn(use, of: home[0], in: file)
        {
          homes += home
        }
        for to in homes where to != from {
          let edge = Edge(from: from, to: to)
          if edges[edge] == nil { edges[edge] = types[use.name] == nil ? use.key : use.name }
        }
      }
    }
    circles = stronglyConnected()
      .filter { $0.count > 1 }.map { $0.sorted() }
      .sorted { ($1.count, $0[0]) < ($0.count, $1[0]) }
  }

  /// Whether a bare word can be a member of a type that the file itself declares or extends.
  private func isOwn(_ use: SwiftFile.Use, of home: Int, in file: SwiftFile) -> Bool {
    guard !file.declared.contains(use.name), let owners = files[home].members[use.key] else {
      return false
    }
    return !owners.isDisjoint(with: file.owners)
  }

  private static func homes(_ names: [Set<String>]) -> [String: [Int]] {
    var homes: [String: [Int]] = [:]
    for (file, set) in names.enumerated() {
      for name in set { homes[name, default: []].append(file) }
    }
    return homes
  }

  /// Tarjan's algorithm, without recursion.
  private func stronglyConnected() -> [[Int]] {
    var next = Array(repeating: [Int](), count: files.count)
    for edge in edges.keys { next[edge.from].append(edge.to) }
    var order = Array(repeating: -1, count: files.count)
    var lowest = order
    var isOpen = Array(repeating: false, count: files.count)
    var open: [Int] = []
    var groups: [[Int]] = []
    var count = 0
    for root in files.indices where order[root] < 0 {
      var path: [(file: Int, rest: [Int])] = []
      func enter(_ file: Int) {
        (order[file], lowest[file], isOpen[file]) = (count, count, true)
        count += 1
        open.append(file)
        path.append((file, next[file]))
      }
      enter(root)
      while let (file, rest) = path.last {
        if let to = rest.last {
          path[path.count - 1].rest.removeLast()
          if order[to] < 0 {
            enter(to)
          } else if isOpen[to] {
            lowest[file] = min(lowest[file], order[to])
          }
          continue
        }
        path.removeLast()
        if let parent = path.last?.file { lowest[parent] = min(lowest[parent], lowest[file]) }
        guard lowest[file] == order[file] else { continue }
        var group: [Int] = []
        repeat {
          group.append(open.removeLast())
          isOpen[group[group.count - 1]] = false
        } while group.last != file
        groups.append(group)
      }
    }
    return groups
  }

  /// Members of the standard library and Foundation that a project's extensions may repeat.
  private static let common: Set = [
    "abs", "all", "allSatisfy", "append", "bytes", "capacity", "close", "code", "compactMap",
    "components", "container", "contains", "copy", "count", "data", "date", "decode", "description",
    "distance", "drop", "dropFirst", "dropLast", "element", "encode", "endIndex", "enumerated",
    "environment", "fill", "filter", "first", "firstIndex", "flatMap", "floats", "forEach",
    "formUnion", "hash", "host", "id", "index", "indices", "insert", "intersection", "isEmpty",
    "isFinite", "joined", "keys", "kind", "last", "length", "lines", "load", "lock", "magnitude",
    "map", "max", "message", "min", "move", "name", "names", "next", "offset", "open", "partition",
    "path", "pop", "prefix", "process", "product", "random", "rank", "rawValue", "read", "reason",
    "reduce", "remove", "removeAll", "removeLast", "replace", "reserve", "resume", "reversed",
    "round", "run", "scale", "seek", "shape", "shuffled", "sign", "signal", "size", "sort",
    "sorted", "split", "start", "startIndex", "stop", "store", "stride", "subscript", "suffix",
    "sum", "swap", "synchronize", "text", "time", "title", "trim", "type", "union", "unlock",
    "update", "value", "values", "wait", "width", "write", "zip",
  ]
}
