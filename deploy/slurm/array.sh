#!/bin/sh
# Plays one shard in each task of an array. Slurm starts each task by itself, so that the shards wait
# for each other in the place of the results.
#
#   sbatch --array=0-3 array.sh plan.yaml --results s3://load-results/run-1
#
#SBATCH --job-name=sseproof-load
#SBATCH --array=0-3
#SBATCH --ntasks=1
#SBATCH --no-requeue
#SBATCH --time=15
set -eu
# `exec`, so that a signal of Slurm reaches sseproof.
exec sseproof load "$@" --shard auto
