/**
 * An RTP party for a telephone that is only a script: it says one byte all the time (PCMU, a packet each 20 ms), and
 * counts how many packets of which byte it hears. The byte goes through a relay unchanged, so it tells whose voice it is.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scope } from './process.ts';

export interface RtpParty {
  readonly port: number;
  /** Sends there from now on; a later call changes the target. */
  talkTo(host: string, port: number): void;
  silence(): void;
  /** Packets heard so far that say this byte. */
  heard(voice: number): number;
  /** Waits until so many more packets of that voice were heard. */
  hear(voice: number, packets?: number, withinMs?: number): Promise<void>;
  /** Whether anything arrives within this time: the other side is on hold, or the call is over. */
  hearsNothing(forMs?: number): Promise<boolean>;
}

const PACKET_MS = 20;
const SAMPLES = 160;
const HEADER = 12;

export async function openRtp(scope: Scope, voice: number, address = '127.0.0.1'): Promise<RtpParty> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const counts = new Map<number, number>();
  let all = 0;
  let target: { readonly host: string; readonly port: number } | undefined;
  const packet = Buffer.alloc(HEADER + SAMPLES, voice).fill(0, 0, HEADER);
  packet[0] = 0x80;
  packet.writeUInt32BE(0x5160_0000 + voice, 8);
  let number = 0;

  socket.on('message', (data) => {
    // Version 2 and payload type 0: RTCP on the same port is not speech.
    if (data.length <= HEADER || (data[1] ?? 0) % 128 !== 0) return;
    const byte = data[HEADER] ?? 0;
    counts.set(byte, (counts.get(byte) ?? 0) + 1);
    all += 1;
  });
  const timer = setInterval(() => {
    if (target === undefined) return;
    number += 1;
    packet.writeUInt16BE(number % 65536, 2);
    packet.writeUInt32BE(number * SAMPLES, 4);
    socket.send(packet, target.port, target.host, () => {});
  }, PACKET_MS);
  scope.after(() => {
    clearInterval(timer);
    socket.close();
  });

  const heard = (other: number): number => counts.get(other) ?? 0;
  return {
    port: socket.address().port,
    talkTo: (host, port) => {
      target = { host, port };
    },
    silence: () => {
      target = undefined;
    },
    heard,
    async hear(other, packets = 20, withinMs = 20_000) {
      const wanted = heard(other) + packets;
      for (const deadlineMs = Date.now() + withinMs; heard(other) < wanted; await delay(PACKET_MS)) {
        const sofar = [...counts].map(([byte, count]) => `${count} of ${byte}`).join(', ') || 'nothing';
        assert.ok(Date.now() < deadlineMs, `${packets} packets of voice ${other} were not heard, but ${sofar}`);
      }
    },
    async hearsNothing(forMs = 500) {
      const before = all;
      await delay(forMs);
      return all === before;
    },
  };
}
