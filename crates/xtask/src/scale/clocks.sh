#!/bin/sh
# As deploy/slurm/together.sh, but the clock of the last of four shards is 2 s ahead.
#SBATCH --ntasks=4
#SBATCH --no-requeue
set -eu
# shellcheck disable=SC2016 # Each task has its own number.
exec srun --kill-on-bad-exit=0 sh -c '
  if [ "$SLURM_PROCID" = 3 ]; then
    # Only the time of day: durations stay right, as on a machine whose clock is wrong.
    export FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1
    exec faketime -f +2s sseproof load "$@" --shard auto
  fi
  exec sseproof load "$@" --shard auto' clocks "$@"
