#!/usr/bin/env bash
# Runs the commands that README.md and docs/*.md print, so that none of them is refused: each with the files and
# options that it names, and with tiny networks, few images and few steps added where it would take long.
#
# Usage: Tests/Checks/commands.sh [--program FILE] [--list | --only TEXT]
#   --program FILE  instead of .build/release/diffit
#   --list          runs nothing; prints each command with what would be done with it
#   --only TEXT     runs only the commands that contain TEXT
#
# It works in a folder of its own, where data, photographs and runs of these names are made first. Commands that
# cannot be run are listed with the reason: they need what is not here (Slurm, root, PyTorch, public weights), they
# take minutes, or they are no commands but patterns (`...`, FILE).
# Exit codes: 0 all that ran ended as the documents say, 1 otherwise, 2 wrong usage. Takes about a minute.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$root/.build/release/diffit
list=
only=
usage() {
  printf 'Tests/Checks/commands.sh: %s\n' "$1" >&2
  sed -n '5,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
  exit 2
}
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" && exit 0 ;;
    --list) list=1 && shift ;;
    --program | --only)
      [ $# -ge 2 ] || usage "$1 needs a value"
      if [ "$1" = --program ]; then program=$(readlink -f "$2"); else only=$2; fi
      shift 2
      ;;
    *) usage "unknown option '$1'" ;;
  esac
done
[ -n "$list" ] || [ -x "$program" ] || usage "$program is missing: build it with swift build -c release"

# Prints each command once, with the place where it stands first: lines of blocks that are indented by four spaces,
# continued where they end with a backslash, without comments.
commands() {
  cd "$root"
  awk '
    FNR == 1 { open = 0 }
    !/^    / { open = 0; next }
    {
      line = substr($0, 5)
      text = open ? text " " line : line
      if (!open) place = FILENAME ":" FNR
      open = sub(/ *\\$/, "", text)
      if (open) next
      sub(/ +#.*/, "", text)
      gsub(/  +/, " ", text)
      if (text ~ /^(diffit|mpirun|launch\/|bin\/|\/shared\/|sbatch|qsub|swift|python3|for|Tests\/)/ && \
          text !~ /^[^ ]*:/ && !seen[text]++) print place "\t" text
    }' README.md docs/*.md | grep -v $'^docs/architecture.md'
}

# Why a command is not run; nothing where it is.
reason() {
  case $2 in
    docs/cli.md:*) echo "a synopsis" && return ;;
  esac
  case $1 in
    *' ...'* | *'=...'*) echo "a pattern, not a command" ;;
    swift\ * | launch/quickstart.sh | launch/test.sh | *launch/install.sh* | *lib-check.sh*) echo "builds the program" ;;
    python3\ * | *big.safetensors*) echo "needs Python with PyTorch" ;;
    sbatch\ * | qsub\ *) echo "needs Slurm or PBS; Tests/Cluster/slurm.sh runs it" ;;
    Tests/Cluster/*) echo "needs root; it is a test of its own" ;;
    *--host\ node* | *--slot:PE=8*) echo "needs more hosts or cores" ;;
    *inception.safetensors*) echo "needs FID-Inception's public weights" ;;
    *imagenet256-latent-xl*) echo "needs 10 GB of memory and minutes" ;;
  esac
}

if [ -n "$list" ]; then
  commands | while IFS=$'\t' read -r place text; do
    why=$(reason "$text" "$place")
    printf '%s\t%s\t%s\n' "${why:+left out: $why}" "$place" "$text"
  done
  exit 0
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_hwloc_base_binding_policy=none DIFFIT_THREADS=1 DIFFIT_PROGRAM=$program
export PATH="$scratch/bin:$PATH"
cd "$scratch"
mkdir bin shared data runs
cp -r "$root/launch" "$root/configs" .
ln -s "$root/Tests" Tests

# The program as the documents call it: with what makes a command short.
cat >bin/diffit <<'END'
#!/usr/bin/env bash
set -euo pipefail
value() { # OPTION WORD ...: the value of an option
  local option=$1
  shift
  while [ $# -gt 1 ]; do
    if [ "$1" = "$option" ]; then echo "$2" && return; fi
    shift
  done
}
short=()
tiny() { # the file of settings
  local set
  if grep -q 'kind: vae' "$1"; then
    set="model.channels=8,8,8"
  elif grep -q 'kind: latent$' "$1"; then
    set="model.width=16 model.depth=1 model.heads=1"
  else
    set="model.channels=8,8 model.blocks=1,1 model.head_dim=8 model.time_dim=16 model.embed_dim=8"
  fi
  for set in $set; do short+=(--set "$set"); done
}
case "$1 ${2-}" in
  train\ *)
    case " $* " in *' --dry-run '*) exec "$DIFFIT_PROGRAM" "$@" ;; esac
    config=$(value --config "$@")
    [ -z "$config" ] || [ ! -e "$config" ] || tiny "$config"
    for set in train.images=16 train.batch=8 train.micro_batch=4 optimizer.warmup=8 log.every=8 sample.count=1 \
      sample.steps=2 metrics.samples=2 checkpoint.every=8 log.straggler=0; do
      short+=(--set "$set")
    done
    ;;
  sample\ *) short=(--seeds 0-3 --steps 2) ;;
  evaluate\ *)
    short=(--samples 4)
    [ ! -d "$2/checkpoints" ] || short+=(--steps 2)
    # Its reference is 50,000 drawings.
    [ "$2" != runs/quickstart ] || short+=(--reference photos/cats)
    ;;
  data\ stats) short=(--samples 8) ;;
  data\ encode) short=(--max-images 4) ;;
  bench\ *) tiny configs/cifar10.yaml && short+=(--batch 2 --images 2) ;;
  scaling\ measure) tiny configs/cifar10.yaml && short+=(--batch 1 --steps 1) ;;
esac
exec "$DIFFIT_PROGRAM" "$@" "${short[@]}"
END
chmod +x bin/diffit

# Runs a line of the documents; paths that only their machines have are those of the folder here.
line() {
  local text=$1 newest checkpoints=(runs/cifar10-small/checkpoints/images-*)
  text=${text//\/shared\//$scratch/shared/}
  newest=${checkpoints[-1]##*/}
  [ "$newest" = 'images-*' ] || text=$(sed -E "s/images-[0-9]{12}/$newest/" <<<"$text")
  # Two goldens instead of 19, and runs of which nothing is asked later in a place of their own.
  text=${text//\*.safetensors/window-*.safetensors}
  case $2 in
    README.md:*) text=${text//runs\/photos /runs\/photos-of-readme } ;; # own-images.md has another runs/photos
    docs/results.md:*) case $text in *\ train\ *) text="$text --run runs/result-$RANDOM" ;; esac ;;
  esac
  bash -c "set -o pipefail; $text" </dev/null
}

# Ends the preparation where a command fails.
need() { line "$1" prepare || exit 1; }

prepare() {
  # CIFAR-10's files with 20 images of noise each: a label and 3,072 bytes.
  local file i name
  mkdir -p data/cifar10/cifar-10-batches-bin photos/cats photos/dogs
  for file in data_batch_1 data_batch_2 data_batch_3 data_batch_4 data_batch_5 test_batch; do
    for i in 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9; do
      printf '%b' "\\x0$i"
      head -c 3072 /dev/urandom
    done >"data/cifar10/cifar-10-batches-bin/$file.bin"
  done
  ln -s data/cifar10/cifar-10-batches-bin cifar-10-batches-bin
  tar -czf cifar-10-binary.tar.gz -C data/cifar10 cifar-10-batches-bin
  printf 'localhost slots=2\n' >hosts.txt
  # The file of settings that own-images.md has its reader save.
  awk '/^```yaml$/ { open = 1; next } /^```$/ { open = 0 } open' "$root/docs/own-images.md" >photos.yaml
  need "diffit train --config configs/quickstart.yaml"
  for name in cats dogs; do need "diffit sample runs/quickstart --out photos/$name"; done
  for name in cats dogs; do mv photos/$name/000000/* photos/$name && rm -r photos/$name/000000 photos/$name/samples.json; done
  cp photos/cats/000000.png cat.jpg
  need "diffit data convert photos --out photos-32.zip --resolution 32"
  need "diffit data convert photos --out photos-64.zip --resolution 64"
  cp photos-32.zip held-out-32.zip
  need "diffit train --config photos.yaml"
  need "diffit train --config configs/cifar10-small.yaml"
  need "diffit export runs/cifar10-small --out model.safetensors"
  need "diffit sample runs/cifar10-small --out test.npz"
  need "diffit data stats data/cifar10 --out cifar10-stats.npz"
  need "diffit train --config configs/cifar10-vae.yaml"
  need "diffit export runs/cifar10-vae --ema ema --out vae"
  ln -s vae sd-vae
  need "diffit data convert photos --out imagenet-256.zip --resolution 256"
  need "diffit data encode data/cifar10 --vae vae --out data/cifar10-latents --resolution 32"
  need "diffit train --config configs/cifar10-latent.yaml --set data.vae=vae"
  mkdir ILSVRC imagenet
  ln -s "$scratch" shared/diffit
  ln -s ../photos ILSVRC/train
  ln -s ../photos imagenet/train
  need "mpirun -n 2 diffit scaling measure --json two.json"
  for name in four h2 h4 h8 10g; do cp two.json $name.json; done
}

# What a command writes and refuses to find there: each is run in a place without it.
forget() {
  local word
  for word in $1; do
    case $word in
      photos-32.zip | photos-64.zip | imagenet-64.zip) [[ $1 != *data\ convert* ]] || rm -rf "$word" "$word.partial" ;;
      latents | data/cifar10-latents) [[ $1 != *data\ encode* ]] || rm -rf "$word" ;;
      samples | rings | rings-1 | rings-6 | animals | class-0) [[ $1 != *sample\ runs/* ]] || rm -rf "$word" ;;
      runs/no-drop | runs/branch | runs/tuned | runs/photos-64) [[ $1 != *--run\ "$word"* ]] || rm -rf "$word" ;;
    esac
  done
}

# The code that the documents say a command ends with.
expected() {
  case $1 in
    *model.chanels*) echo 2 ;; # first-hour.md shows the refusal
    *) echo 0 ;;
  esac
}

begun=$SECONDS
(prepare) >"$scratch/out" 2>&1 || {
  printf 'Tests/Checks/commands.sh: what the commands need cannot be made; it printed:\n' >&2
  tail -n 20 "$scratch/out" >&2
  exit 1
}
ran=0
bad=0
declare -A left=()
while IFS=$'\t' read -r place text; do
  [ -z "$only" ] || [[ $text == *"$only"* ]] || continue
  why=$(reason "$text" "$place")
  if [ -n "$why" ]; then
    left[$why]+="  $place: $text"$'\n'
    continue
  fi
  forget "$text"
  code=0
  line "$text" "$place" >"$scratch/out" 2>&1 || code=$?
  ran=$((ran + 1))
  if [ "$code" -ne "$(expected "$text")" ]; then
    bad=$((bad + 1))
    printf '%s: code %d instead of %d: %s\n' "$place" "$code" "$(expected "$text")" "$text" >&2
    grep -v '^ *$' "$scratch/out" | tail -n 3 | sed 's/^/    /' >&2
  fi
done < <(commands)
for why in "${!left[@]}"; do printf 'left out, %s:\n%s' "$why" "${left[$why]}"; done
printf 'commands of README.md and docs: %d ran, %d failed, in %d s\n' "$ran" "$bad" "$((SECONDS - begun))"
[ "$bad" -eq 0 ]
