#!/usr/bin/env bash
# Checks that what the Markdown files of the repository point to is there: files and images of relative links,
# headings of #anchors, and paths between backticks that begin with a folder of the repository.
#
# Usage: Tests/Checks/links.sh [FOLDER]
#   FOLDER   another git repository than this one
#
# Anchors follow GitHub's rule. `launch/local.sh` and `Sources/A/B.swift:12` have to be there, with that many
# lines; `configs/*.yaml` and `Tests/<Target>Tests` are left out, and so are fenced blocks and web addresses.
# Files that git ignores do not count.
# Exit codes: 0 passed, 1 failed. Takes six seconds the first time, then less than one.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$root/Tests/Checks/common.sh"
program=$(build_check Links)
cd "${1:-$root}"
# A file that was removed is still in git's list until the commit.
git ls-files --cached --others --exclude-standard -z |
  while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done | "$program" "$PWD"
