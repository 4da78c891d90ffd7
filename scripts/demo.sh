#!/usr/bin/env bash
# The demo: two simulated laboratories, three models, their scores on animals that none of them has seen.
# Run by `make demo`, which puts `nocigram` on the PATH. Everything lies under demo/ at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

run() { # show a command, then run it
  printf '\n$ %s\n' "$*"
  "$@"
}

if [ -e demo ]; then
  echo "Removing demo/ of an earlier run"
  rm -rf demo
fi

run nocigram simulate demo/train --animals 16 --trials 3 --seed 1
run nocigram simulate demo/new --animals 8 --trials 3 --seed 2
run nocigram check --annotations demo/train/Annotations --videos demo/train/Videos

run nocigram train --preset cpu --annotations demo/train/Annotations --videos demo/train/Videos --streams pixels --out demo/pixels
run nocigram train --preset cpu --annotations demo/train/Annotations --videos demo/train/Videos --streams pose --out demo/pose
run nocigram train --preset cpu --annotations demo/train/Annotations --videos demo/train/Videos --out demo

run nocigram evaluate demo/pixels/best_model_multitask.pt --annotations demo/new/Annotations --videos demo/new/Videos --split all --out demo/pixels/evaluation
run nocigram evaluate demo/pose/best_model_multitask.pt --annotations demo/new/Annotations --videos demo/new/Videos --split all --out demo/pose/evaluation
run nocigram evaluate demo/best_model_multitask.pt --annotations demo/new/Annotations --videos demo/new/Videos --split all --out demo/evaluation

run nocigram predict demo/best_model_multitask.pt demo/new/Videos --out demo/predictions

python scripts/demo_summary.py demo
