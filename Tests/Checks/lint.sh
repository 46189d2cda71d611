#!/usr/bin/env bash
# Runs shellcheck over the shell scripts of the repository and ruff over its Python files.
#
# Usage: Tests/Checks/lint.sh
#
# launch/setup.sh --tests installs both. What is missing is left out, except where CI=true: there it fails.
# Exit codes: 0 passed, 1 failed. Takes three seconds.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source-path=SCRIPTDIR source=common.sh
. Tests/Checks/common.sh

code=0
without() {
  echo "Tests/Checks/lint.sh: without $1, which is missing: launch/setup.sh --tests installs it" >&2
  [ "${CI-}" != true ] || code=1
}

# All files that git knows or would take, except deleted ones.
files=()
while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || files+=("$file")
done < <(git ls-files --cached --others --exclude-standard -z)

scripts=()
python=()
for file in "${files[@]}"; do
  case $file in
    *.py) python+=("$file") ;;
    *.sh | *.sbatch | *.pbs | *.bash) scripts+=("$file") ;;
    *.*) ;;
    # Without an extension: what a shell runs.
    *) [[ $(head -c 64 "$file" | tr -d '\0' | head -n 1) =~ ^'#!'.*sh$ ]] && scripts+=("$file") ;;
  esac
done

if command -v shellcheck >/dev/null; then
  shellcheck --external-sources "${scripts[@]}" || code=1
  echo "shellcheck: ${#scripts[@]} scripts"
else
  without shellcheck
fi
if has_ruff; then
  "$checks_cache/bin/ruff" check --quiet --no-cache --config Tests/Checks/ruff.toml "${python[@]}" || code=1
  echo "ruff: ${#python[@]} files"
else
  without "ruff $ruff_version"
fi
exit "$code"
