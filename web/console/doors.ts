/**
 * What never became a request: connections that were not let in or ended, and messages thrown away, as
 * `messages.dropped` of the statistics counts them; in words, with what to do. What a newer server counts has its own name.
 */

export interface DoorRow {
  readonly reason: string;
  readonly times: number;
  readonly meaning: string;
  readonly nextStep: string;
}

type Words = readonly [meaning: string, nextStep: string];

const log = 'The log names the source and the fault in words: look for ';
const scanner = 'On a public address mostly scanners. If a device of yours is among them, its own log says more.';

const known: Readonly<Record<string, Words>> = {
  'tls-handshake': [
    'A TLS handshake failed: no secure connection came to be.',
    `${log}\`tls-handshake\`. Usual: the client does not trust our certificate, or speaks no TLS on that port.`,
  ],
  'certificate-refused': [
    'A peer was refused for its certificate.',
    `${log}\`certificate-refused\`. With TLS 1.3 the client believes that it is connected, and then sees a close.`,
  ],
  'dial-tls': ['A server that we connect to failed the TLS handshake.', `${log}\`dial-tls\`.`],
  'websocket-origin': [
    'A page of a host that is not in ORIGINS opened a WebSocket.',
    'Add its host to ORIGINS if it is yours.',
  ],
  'websocket-protocol': [
    'A WebSocket was opened without the subprotocol `sip`.',
    'Let the client ask for it: new WebSocket(url, "sip") (RFC 7118).',
  ],
  'websocket-broken': ['What came over a WebSocket was no WebSocket.', scanner],
  'http-broken': ['What came to the port of WebSockets was not HTTP.', scanner],
  'http-timeout': ['A client opened a connection for a WebSocket and asked for nothing.', scanner],
  'refused-source': [
    'A connection of a banned or too busy source was refused.',
    'See the sources above; a trunk or a reverse proxy belongs into TRUSTED.',
  ],
  'message of a refused source': [
    'A message of a banned or too busy source was thrown away.',
    'See the sources above.',
  ],
  scanner: ['A known scanner got no answer.', 'Nothing: DROP_SCANNERS=no would answer them.'],
  'too-many-connections': [
    'There were more connections than Viaduct takes in all.',
    'Look for one source that opens them, with `ss -tn`; share the load among several.',
  ],
  'too-many-from-source': [
    'One address holds as many connections as it may.',
    'Behind a reverse proxy on another host let that one limit; else look at that source.',
  ],
  overloaded: [
    'New calls and registrations came in such numbers that most were thrown away unread; their senders try again.',
    'After a restart of a network it passes by itself. Else look for the source, or share the load among several.',
  ],
  'too-large': ['A message was larger than 64 KiB.', 'No telephone sends such messages; see the log for the source.'],
  'too-short': ['A datagram was too short for SIP.', 'Nothing: keep-alives of some devices look so.'],
  'framing-broken': ['What came over TCP or TLS was no SIP.', scanner],
  'framing-timeout': [
    'The rest of a message never came.',
    'A device that vanished, or a scanner that holds connections.',
  ],
  'no-pong': ['A WebSocket did not answer a ping: its client is gone.', 'Nothing: it comes back by itself.'],
  idle: ['A connection on which nothing was ever said was closed.', scanner],
  'slow-reader': [
    'A client did not read what we sent, and was closed.',
    'Look at its network; it comes back by itself.',
  ],
  'connect-timeout': ['A server that we connect to did not answer in time.', 'Is it there, and the way to it open?'],
  'send-failed': ['The system would not send a datagram.', 'Look at the routes and the firewall of this host.'],
  malformed: ['A message could not be read as SIP, and nobody could be told.', scanner],
  'stray response': [
    'A response came that belongs to no request of ours.',
    'A few are late repetitions. Many: another proxy answers us twice.',
  ],
  'ACK of no dialog': [
    'An ACK came that belongs to no call.',
    'A few are late; many: a device does not keep our Record-Route.',
  ],
  stun: ['A STUN packet came to a SIP port.', 'Nothing: a device asks whether its NAT mapping lives.'],
};

/** The most frequent first. */
export function doorsOf(counts: Readonly<Record<string, number>>): readonly DoorRow[] {
  return Object.entries(counts)
    .map(([reason, times]) => {
      const [meaning, nextStep] = known[reason] ?? [reason, 'The log has more.'];
      return { reason, times, meaning, nextStep };
    })
    .sort((a, b) => b.times - a.times || (a.reason < b.reason ? -1 : 1));
}
