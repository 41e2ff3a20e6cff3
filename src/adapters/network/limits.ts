/** Every bound of the network (law 9): sizes, times and numbers, with what they are for. */

export interface Limits {
  /** The largest message on a stream or a WebSocket. A datagram cannot be larger anyway. */
  readonly messageBytes: number;
  /** A message that has begun on a stream must be complete by then. */
  readonly partMs: number;
  /** A stream that carries nothing in either direction for so long is closed. */
  readonly idleMs: number;
  /** TLS handshake, and headers of an HTTP request or upgrade. */
  readonly handshakeMs: number;
  /** From dialling to a usable connection. */
  readonly connectMs: number;
  /** Between two pings on a WebSocket; a ping that is not answered until the next one ends it. */
  readonly pingMs: number;
  /** How long a connection that we end may take to send what is left. */
  readonly lingerMs: number;
  /** What may wait in one connection for a slow reader, or while it is being dialled. */
  readonly writeBufferBytes: number;
  /** What may wait in one UDP socket because the kernel's buffer is full. */
  readonly datagramQueueBytes: number;
  readonly connectionsPerListener: number;
  /** Per IPv4 address or IPv6 /64. */
  readonly connectionsPerSource: number;
  /** The same for this host itself, where a reverse proxy may stand for everybody. */
  readonly connectionsPerLoopback: number;
  /** Connections being dialled or dialled and open. */
  readonly dialled: number;
  /** The resolution of all times above. */
  readonly tickMs: number;
}

export const defaultLimits: Limits = {
  messageBytes: 65_536,
  partMs: 30_000,
  idleMs: 3_600_000,
  handshakeMs: 10_000,
  connectMs: 5_000,
  pingMs: 25_000,
  lingerMs: 1_000,
  writeBufferBytes: 262_144,
  datagramQueueBytes: 8_388_608,
  connectionsPerListener: 20_000,
  connectionsPerSource: 1_000,
  connectionsPerLoopback: 20_000,
  dialled: 10_000,
  tickMs: 1_000,
};
