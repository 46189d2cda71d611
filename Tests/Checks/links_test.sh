#!/usr/bin/env bash
# Tests links.sh with a small repository that has good links and every kind of bad one.
#
# Usage: Tests/Checks/links_test.sh
# Exit codes: 0 passed, 1 failed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'Tests/Checks/links_test.sh: %s; the check printed:\n' "$1" >&2
  cat "$scratch/out" >&2
  exit 1
}
check() {
  code=0
  Tests/Checks/links.sh "$scratch/repository" >"$scratch/out" 2>&1 || code=$?
}

git init -q "$scratch/repository"
mkdir -p "$scratch/repository/docs/images" "$scratch/repository/Sources"
printf 'one\ntwo\n' >"$scratch/repository/Sources/Two.swift"
echo ignored >"$scratch/repository/.gitignore"
echo >"$scratch/repository/ignored"
echo >"$scratch/repository/docs/images/an image.png"
cat >"$scratch/repository/docs/other.md" <<'END'
# The `--set` option, and [more](../README.md)!
## Twice
Underlined: naïve_name
----------------------
## Twice
```
## In a block
```
<a id="by-hand"></a>
END
cat >"$scratch/repository/README.md" <<'END'
# Good
[a file](docs/other.md), [its heading](docs/other.md#the---set-option-and-more "with a title"), [here](#good),
[again](docs/other.md#twice-1), [underlined](/docs/other.md#underlined-naïve_name), [id](docs/other.md#by-hand),
![an image](<docs/images/an image.png>), [the same](docs/images/an%20image.png), [web](https://none.example/x.md),
[line](Sources/Two.swift#L2), [folder](docs), `Sources/Two.swift:2`, `./Sources/Two.swift`, `Sources/*.swift`,
`other/file.txt`, ``a ` mark``, `[no link](none.md)`, [a wrapped
link](docs/other.md).
[height, width]: 2023 numbers, which is no definition of a link.
```
[no link](none.md)
```

[definition]: docs/other.md
END
check
[ "$code" -eq 0 ] || fail "good links fail with code $code"
grep -qF '2 Markdown files, 13 links inside the repository, 2 paths' "$scratch/out" || fail "expected other figures"

cat >"$scratch/repository/docs/bad.md" <<'END'
[none](none.md) [outside](../../none.md) ![image](images/none.png)
[heading](other.md#thrice) [block](other.md#in-a-block) [own](#none)
[line](../Sources/Two.swift#L9) `Sources/None.swift` `Sources/Two.swift:4`
<img src="images/lost.png"> [folder](../README.md/x)

[definition]: lost.md
END
check
[ "$code" -eq 1 ] || fail "bad links end with code $code"
while read -r finding; do
  grep -qF "FAILED: docs/bad.md:$finding" "$scratch/out" || fail "expected '$finding'"
done <<'END'
1: none.md: there is no file docs/none.md
1: ../../none.md: it leads out of the repository
1: images/none.png: there is no file docs/images/none.png
2: other.md#thrice: docs/other.md has no heading #thrice
2: other.md#in-a-block: docs/other.md has no heading #in-a-block
2: #none: docs/bad.md has no heading #none
3: ../Sources/Two.swift#L9: Sources/Two.swift has fewer than 9 lines
3: Sources/None.swift: the repository has no such file or folder
3: Sources/Two.swift:4: Sources/Two.swift has fewer than 4 lines
4: images/lost.png: there is no file docs/images/lost.png
4: ../README.md/x: there is no file README.md/x
6: lost.md: there is no file docs/lost.md
END
[ "$(grep -c FAILED "$scratch/out")" -eq 12 ] || fail "expected 12 findings"
echo "Tests/Checks/links_test.sh: passed"
