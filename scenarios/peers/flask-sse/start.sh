#!/bin/sh
# Starts Redis, then gunicorn; both end together.
set -eu

rm -f redis.sock
redis=
server=
stop() {
    trap - EXIT INT TERM
    # shellcheck disable=SC2086 # either may be empty, and an id has no spaces
    kill $server $redis 2>/dev/null || true
    wait
}
trap stop EXIT
trap 'exit 143' INT TERM

redis-server --port 0 --unixsocket "$PWD/redis.sock" --save '' --loglevel warning &
redis=$!
tries=0
until [ -S redis.sock ]; do
    kill -0 "$redis"
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "Redis did not start" >&2; exit 1; }
    sleep 0.1
done

.venv/bin/gunicorn --worker-class gevent --bind "127.0.0.1:$PORT" --graceful-timeout 1 app:app &
server=$!
wait "$server"
