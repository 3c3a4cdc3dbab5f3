#!/bin/sh
# Joins the results; its exit code is the verdict.
#
#   sbatch --dependency=afterany:JOB merge.sh s3://load-results/run-1 --fail-if 'delivery.p99 > 250ms'
#
#SBATCH --job-name=sseproof-merge
#SBATCH --ntasks=1
#SBATCH --time=15
set -eu
exec sseproof merge "$@"
