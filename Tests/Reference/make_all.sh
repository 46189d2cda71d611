#!/bin/sh
# Makes every golden of this folder again: networks for `diffit parity`, the losses of a training
# run, samples, and DDPM's numbers. Needs a python with torch, numpy and safetensors; name it in PYTHON.
#
#   PYTHON=python3 Tests/Reference/make_all.sh [FOLDER]     default: this folder
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
python=${PYTHON:-python3}
"$python" -c 'import torch, numpy, safetensors' || {
  echo "make_all.sh: $python lacks torch, numpy or safetensors: name another in PYTHON" >&2
  exit 1
}
mkdir -p "$out"
export PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1  # the order of sums, and so the bits, depend on threads

golden() {
  name=$1
  shift
  "$python" "$here/make_golden.py" "$out/$name.safetensors" image \
    resolution=8 time_dim=16 embed_dim=16 head_dim=8 "$@"
}

"$python" "$here/philox.py" > /dev/null  # checks itself

# One to four stages.
golden stages-1            channels=16       blocks=1       window=4 batch=1 seed=1
golden stages-2            channels=8,16     blocks=1,1     window=4 batch=2 seed=2
golden stages-3            channels=8,8,16   blocks=1,1,1   window=4 batch=3 seed=3 resolution=16
golden stages-4            channels=8,8,16,8 blocks=1,1,1,1 window=2 batch=2 seed=4 resolution=16
# Every window; 8 shrinks to the side of the coarser stages, down to one token.
golden window-2            channels=8,16     blocks=1,1     window=2 batch=5 seed=5
golden window-8            channels=8,16     blocks=1,1     window=8 batch=1 seed=6 resolution=16
golden window-shrinks      channels=8,8,8,8  blocks=1,1,1,1 window=8 batch=3 seed=7
# Head widths, depth, and widths whose group norm has fewer groups than a quarter of them.
golden head-16             channels=16,16    blocks=1,2     window=4 batch=2 seed=8 head_dim=16
golden head-32             channels=32       blocks=1       window=4 batch=4 seed=9 head_dim=32
golden uneven-groups       channels=10,18    blocks=1,1     window=4 batch=2 seed=11 head_dim=2
# Conditions.
golden classes             channels=8,16     blocks=1,1     window=4 batch=5 seed=12 classes=10
golden augmentation        channels=8,16     blocks=1,1     window=4 batch=4 seed=13 augment_dim=9
golden classes-augmentation channels=8,16    blocks=1,2     window=4 batch=3 seed=14 \
  classes=3 augment_dim=9 time_dim=24 embed_dim=12
# Wide enough for bf16 to be used.
golden wide                channels=32,32    blocks=1,1     window=4 batch=3 seed=21 \
  head_dim=16
golden wide-classes        channels=32       blocks=2       window=8 batch=4 seed=22 \
  head_dim=32 time_dim=32 classes=4 augment_dim=9

latent() {
  name=$1
  shift
  "$python" "$here/make_golden.py" "$out/$name.safetensors" latent "$@"
}

# Latent networks: tokens of one, four and sixteen latents, labels and none.
latent latent-2        latent_side=4 dim=16 depth=2 heads=2 classes=3 batch=3 seed=31
latent latent-patch-1  latent_side=4 latent_channels=3 patch=1 dim=8 depth=1 heads=1 classes=0 \
  batch=2 seed=32
latent latent-patch-4  latent_side=12 latent_channels=1 patch=4 dim=24 depth=1 heads=3 classes=5 \
  batch=1 seed=33
latent latent-wide     latent_side=8 dim=32 depth=1 heads=2 classes=4 batch=2 seed=34

"$python" "$here/train_golden.py" "$out/train-200.json"
"$python" "$here/sampler_golden.py" "$out/samplers.json"
"$python" "$here/ddpm_golden.py" "$out/ddpm.json"
"$python" "$here/recipe_golden.py" "$out/recipes.json"
if "$python" -c 'import diffusers' 2> /dev/null; then
  "$python" "$here/vae_golden.py" "$out/vae"
else
  echo "make_all.sh: $python lacks diffusers: the goldens in $out/vae are not made" >&2
fi
chmod 644 "$out"/*.safetensors "$out/train-200.json" "$out/samplers.json" "$out/ddpm.json" \
  "$out/recipes.json"
