#!/bin/sh
# Starts nginx, and a loop that publishes into the channel `ticks`; both end together.
set -eu

PATH="$PATH:/usr/sbin" # where Debian keeps nginx, and where not every user looks
mkdir -p tmp
sed "s/@PORT@/$PORT/" nginx.conf.in >nginx.conf

ticker=
server=
stop() {
    trap - EXIT INT TERM
    # shellcheck disable=SC2086 # either may be empty, and an id has no spaces
    kill $ticker $server 2>/dev/null || true
    wait
}
trap stop EXIT
trap 'exit 143' INT TERM

nginx -p "$PWD/" -c nginx.conf -e stderr &
server=$!
node ticker.js &
ticker=$!
wait "$server"
