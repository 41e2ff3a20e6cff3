#!/bin/sh
# `viaduct` in the container: `start` is its process 1, and `docker compose exec viaduct viaduct user add alice` works.
#
# REST leaves this container, so it needs an API token. Where API_TOKEN does not give one, it is made at the first start
# and kept in the data volume: `docker compose exec viaduct cat /var/lib/viaduct/api-token`.
set -eu

if [ -z "${API_TOKEN:-}" ]; then
  file=${DATA_DIR:-/var/lib/viaduct}/api-token
  if [ ! -s "$file" ]; then
    (umask 077 && head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$file.new" && mv "$file.new" "$file")
  fi
  API_TOKEN=$(cat "$file")
  export API_TOKEN
fi

# exec: process 1 gets the SIGTERM of `docker stop`, and node knows what to do with it.
# Short pauses: tools/tasks.mjs.
exec node --max-semi-space-size=8 /app/src/cli/main.ts "$@"
