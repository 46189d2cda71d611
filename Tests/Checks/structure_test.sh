#!/usr/bin/env bash
# Tests structure.sh with two small packages: one in order, and one with every fault that it has to find.
#
# Usage: Tests/Checks/structure_test.sh
# Exit codes: 0 passed, 1 failed. Takes five seconds.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'Tests/Checks/structure_test.sh: %s; the check printed:\n' "$1" >&2
  cat "$scratch/out" >&2
  exit 1
}
# Writes a file of the package in $scratch/$package from standard input.
write() {
  mkdir -p "$(dirname "$scratch/$package/$1")"
  cat >"$scratch/$package/$1"
}
blank() { seq "$1" | sed 's/.*//'; }
check() {
  code=0
  Tests/Checks/structure.sh --package "$scratch/$package" "$@" >"$scratch/out" 2>&1 || code=$?
}
expect() { grep -qF -- "$1" "$scratch/out" || fail "expected '$1'"; }
refuse() { ! grep -qF -- "$1" "$scratch/out" || fail "did not expect '$1'"; }

package=good
write Package.swift <<'END'
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
  name: "good",
  targets: [
    .target(name: "CLow", path: "Sources/1-Low/CLow"),
    .target(name: "Low", path: "Sources/1-Low/Low"),
    .target(name: "Middle", dependencies: ["CLow", "Low"], path: "Sources/2-Middle/Middle"),
    .executableTarget(name: "tool", dependencies: ["Middle"], path: "Sources/3-High/tool"),
    .testTarget(name: "MiddleTests", dependencies: ["Middle", "tool"]),
  ])
END
echo 'int low(void);' | write Sources/1-Low/CLow/include/CLow.h
printf '#include "CLow.h"\nint low(void) { return 1; }\n' | write Sources/1-Low/CLow/low.c
echo 'public struct Low { public init() {} }' | write Sources/1-Low/Low/Low.swift
echo 'import Middle; print(A())' | write Sources/3-High/tool/main.swift
printf 'import Foundation\n@testable import Middle\nimport Testing\n' | write Tests/MiddleTests/Tests.swift
# A, B and C need each other: by a type, by a member of an extension, and inside a string's interpolation.
# Comments, strings, local names and names that several files declare make no circle of D and E with them.
write Sources/2-Middle/Middle/A.swift <<'END'
import CLow
import struct Low.Low
public struct A { public init() {}; var b: B? { nil } }
END
echo 'struct B {}; func useOfC(_ a: A) -> Int { a.onlyInC(of: 1) }' | write Sources/2-Middle/Middle/B.swift
cat <<'END' | write Sources/2-Middle/Middle/C.swift
extension A {
  func onlyInC(of number: Int) -> Int { number }
  private func hidden() {}
  var text: String { #"raw \(D()) \#(E.self)"# + "\("\(B())")" }
}
END
cat <<'END' | write Sources/2-Middle/Middle/D.swift
/* A comment /* that nests */ names A. */
// And B.
struct D {
  let aText = "C, A() and \\(B())"
  let long = """
    A() "quoted" B()
    """
  func hidden() {}
  func shadow() { let onlyInC = 3; _ = onlyInC }
  enum A { case one }
}
END
echo 'struct E { func hidden() {}; func use(_ d: D) { d.hidden() } }' | write Sources/2-Middle/Middle/E.swift
check
[ "$code" -eq 0 ] || fail "a package in order fails with code $code"
expect '3 Middle: A.swift B.swift C.swift'
refuse FAILED
check --edges Middle
[ "$code" -eq 0 ] || fail "--edges fails with code $code"
expect 'B.swift uses onlyInC(of) of C.swift'
expect 'C.swift uses B of B.swift'
refuse D.swift

package=bad
write Package.swift <<'END'
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
  name: "bad",
  dependencies: [.package(path: "../good")],
  targets: [
    .target(name: "CHigh", path: "Sources/2-High/CHigh"),
    .target(name: "CLow", path: "Sources/1-Low/CLow"),
    .target(name: "Low", dependencies: ["High"], path: "Sources/1-Low/Low"),
    .target(name: "High", dependencies: ["Unused"], path: "Sources/2-High/High"),
    .target(name: "Unused", path: "Sources/1-Low/Unused"),
    .target(name: "Flat", dependencies: ["Support"]),
    .target(name: "Support", path: "Tests/Support"),
    .target(name: "Large", dependencies: ["Support"], path: "Sources/2-High/Large"),
    .target(name: "Absent", path: "Sources/1-Low/Absent"),
  ])
END
echo 'int high(void);' | write Sources/2-High/CHigh/include/CHigh.h
echo '#include "CHigh.h"' | write Sources/2-High/CHigh/high.c
echo 'int low(void);' | write Sources/1-Low/CLow/include/CLow.h
echo '#include <CHigh.h>' | write Sources/1-Low/CLow/low.c
printf '@testable import High\nimport Yams\n' | write Sources/1-Low/Low/Low.swift
echo 'import High; let text = "import Unused"' | write Sources/2-High/High/High.swift
echo '' | write Sources/1-Low/Unused/Unused.swift
echo 'import Support' | write Sources/Flat/Flat.swift
echo '' | write Tests/Support/Support.swift
for ((i = 0; i < 7; i++)); do
  echo "import Support; struct Ring$i { let next: [Ring$(((i + 1) % 7))] }" | write "Sources/2-High/Large/Ring$i.swift"
done
for ((i = 0; i < 9; i++)); do blank 390 | write "Sources/2-High/Large/Long$i.swift"; done
blank 401 | write Sources/2-High/Large/TooLong.swift
blank 401 | write Tests/Other/long.h
echo '' | write Sources/1-Low/Stray/Stray.swift
check
[ "$code" -eq 1 ] || fail "a package with faults ends with code $code"
expect 'Low on floor 1: it uses High of the higher floor 2'
expect 'Sources/1-Low/Low/Low.swift: it imports Yams, which Package.swift does not list for Low'
expect 'CLow: it includes CHigh.h of CHigh, which Package.swift does not list for it'
expect 'Sources/2-High/High/High.swift: it imports its own target'
expect 'High: Package.swift lists Unused for it, but no file of Sources/2-High/High imports it'
expect 'Flat: Sources/Flat is not in a folder Sources/N-Floor'
expect 'Large: it uses Support, which is not below Sources'
expect 'Large: 3918 lines of Swift, at most 3500 are allowed'
expect 'Sources/2-High/Large/TooLong.swift: 401 lines, at most 400 are allowed'
expect 'Tests/Other/long.h: 401 lines, at most 400 are allowed'
refuse 'Long0.swift: 390 lines,'
expect 'Large: 7 files need each other in a circle, at most 6 are allowed'
expect 'Ring0.swift Ring1.swift Ring2.swift Ring3.swift Ring4.swift Ring5.swift Ring6.swift'
expect 'Absent: Package.swift says that it is in Sources/1-Low/Absent, which is not a folder'
expect 'Sources/1-Low/Stray/Stray.swift: it belongs to no target of Package.swift'
expect 'Package.swift: no target uses the package good'
check --edges Nothing
[ "$code" -eq 2 ] || fail "an unknown target ends with code $code"
echo "Tests/Checks/structure_test.sh: passed"
