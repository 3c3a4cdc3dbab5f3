#!/bin/sh
set -eu

rm -rf tmp
mkdir tmp
PEER_TMP="$PWD/tmp" PHP_CLI_SERVER_WORKERS=32 exec php -S "127.0.0.1:$PORT" index.php
