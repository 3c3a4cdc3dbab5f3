#!/bin/sh
# Plays one shard in each task of one step: Slurm starts them only when there is place for all.
#
#   sbatch --ntasks=4 together.sh plan.yaml --results s3://load-results/run-1
#
#SBATCH --job-name=sseproof-load
#SBATCH --ntasks=4
#SBATCH --no-requeue
#SBATCH --time=15
set -eu
# A shard that ends with a failure, such as a broken threshold, must not end the others.
exec srun --kill-on-bad-exit=0 sseproof load "$@" --shard auto
