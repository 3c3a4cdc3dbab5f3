#!/bin/sh
# Starts nginx on the port that the environment names.
set -eu

PATH="$PATH:/usr/sbin" # where Debian keeps nginx, and where not every user looks
mkdir -p tmp
if [ "${CERT:-}" ]; then
    echo "listen 127.0.0.1:$PORT ssl http2; ssl_certificate $CERT; ssl_certificate_key $KEY;"
else
    echo "listen 127.0.0.1:$PORT;"
fi >listen.conf
exec nginx -p "$PWD/" -c nginx.conf -e stderr
