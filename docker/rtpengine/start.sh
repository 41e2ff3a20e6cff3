#!/bin/sh
# Becomes rtpengine, with the addresses of where it runs.
#
#   PUBLIC_ADDRESS  what goes into SDP: the address by which telephones and browsers reach this machine
#   LOCAL_ADDRESS   where media arrives; default: the address of the default route
#   RTP_PORTS       such as 20000-29999: four ports a call
#   NG_LISTEN       where Viaduct's commands arrive; whoever reaches it can end calls and listen in; default 127.0.0.1:22222
set -eu

: "${PUBLIC_ADDRESS:?set it to the address by which telephones and browsers reach this machine}"
case $PUBLIC_ADDRESS in
  *[!0-9a-fA-F.:]*) echo "PUBLIC_ADDRESS=$PUBLIC_ADDRESS: SDP needs a numeric address, not a name" >&2; exit 1 ;;
esac
here=${LOCAL_ADDRESS:-$(ip -4 route get 192.0.2.1 | sed -n 's/.* src \([0-9.]*\).*/\1/p')}
: "${here:?no default route: set LOCAL_ADDRESS}"
ports=${RTP_PORTS:-20000-29999}

# Without `!PUBLIC_ADDRESS` the SDP would name an address that only this machine knows: signalling works, and nobody
# hears anything (the most frequent complaint about rtpengine in containers and clouds).
exec rtpengine --foreground --log-stderr --log-level="${RTPENGINE_LOG_LEVEL:-5}" --config-file=none --table=-1 \
  --interface="$here!$PUBLIC_ADDRESS" --port-min="${ports%-*}" --port-max="${ports#*-}" \
  --listen-ng="${NG_LISTEN:-127.0.0.1:22222}" --delete-delay=0 --timeout=60 --silent-timeout=3600
