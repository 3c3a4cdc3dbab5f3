#!/bin/sh
exec apache2 -f "$PWD/apache.conf" -D FOREGROUND
