#!/bin/sh
# Starts nginx on the port that the environment names.
set -eu

PATH="$PATH:/usr/sbin" # where Debian keeps nginx, and where not every user looks
mkdir -p tmp
sed "s/@PORT@/$PORT/" nginx.conf.in >nginx.conf
exec nginx -p "$PWD/" -c nginx.conf -e stderr
