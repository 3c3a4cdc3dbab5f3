#!/bin/sh
# The working folder has a name of its own, for Varnish locks it.
exec varnishd -F -n "$PWD/tmp" -a "127.0.0.1:$PORT" -f "$PWD/default.vcl" -s malloc,32m
