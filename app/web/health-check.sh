#!/bin/bash
# Health check of the image, which has no curl: succeeds if the role that listens at port $1 is alive.
# Bash opens the connection itself. Starting Node.js would take 30 times the CPU, every 10 s.
exec 3<> "/dev/tcp/127.0.0.1/$1" || exit 1
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 2 _ status _ <&3
[ "$status" = 200 ]
