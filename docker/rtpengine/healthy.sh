#!/bin/bash
# A ping over the ng protocol, as Viaduct sends it.
listen=${NG_LISTEN:-127.0.0.1:22222}
exec 3<>"/dev/udp/${listen%:*}/${listen##*:}" || exit 1
printf 'health d7:command4:pinge' >&3
IFS= read -r -t 1 -N 26 reply <&3
[[ $reply == *pong* ]]
