#!/bin/sh
set -eu

# Without a key, as on a laptop: the server listens on loopback only.
export LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY=true
export LITELLM_TELEMETRY=False LITELLM_LOCAL_MODEL_COST_MAP=True
exec .venv/bin/litellm --config config.yaml --host 127.0.0.1 --port "$PORT"
