#!/bin/sh
# Starts the server behind nginx, then nginx; both end together.
set -eu

PATH="$PATH:/usr/sbin" # where Debian keeps nginx, and where not every user looks
mkdir -p tmp
rm -f upstream.sock
sed "s/@PORT@/$PORT/" nginx.conf.in >nginx.conf

upstream=
proxy=
stop() {
    trap - EXIT INT TERM
    # shellcheck disable=SC2086 # either may be empty, and an id has no spaces
    kill $upstream $proxy 2>/dev/null || true
    wait
    rm -f upstream.sock
}
trap stop EXIT
trap 'exit 143' INT TERM

node upstream.js &
upstream=$!

# nginx would answer 502 until the socket is there.
tries=0
until [ -S upstream.sock ]; do
    kill -0 "$upstream"
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || { echo "the server behind nginx did not start" >&2; exit 1; }
    sleep 0.1
done

nginx -p "$PWD/" -c nginx.conf -e stderr &
proxy=$!
wait "$proxy"
