/** Whoever is told: answers each NOTIFY with 200 at once, and counts them. */
import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scope } from '../test/support/process.ts';

export interface Watchers {
  readonly port: number;
  /** NOTIFY requests so far, each of them once however often it came. */
  told(): number;
  /** Resolves when nobody has been told of anything for a while: after its start a proxy tells all of them. */
  quiet(): Promise<void>;
}

const copied = /^(?:Via|From|To|Call-ID|CSeq):.*\r\n/gim;
const quietMs = 12_000;

export async function startWatchers(scope: Scope): Promise<Watchers> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
  let told = 0;
  let lastMs = Date.now();
  const seen = new Map<string, string>();
  socket.on('message', (bytes, { port, address }) => {
    const text = bytes.toString('latin1');
    if (!text.startsWith('NOTIFY ')) return;
    const [callId = ''] = /^Call-ID:.*$/im.exec(text) ?? [];
    const [cseq = ''] = /^CSeq:.*$/im.exec(text) ?? [];
    if (seen.get(callId) !== cseq) told += 1;
    seen.set(callId, cseq);
    lastMs = Date.now();
    const lines = text.match(copied) ?? [];
    socket.send(`SIP/2.0 200 OK\r\n${lines.join('')}Content-Length: 0\r\n\r\n`, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  scope.after(() => void socket.close());
  return {
    port: socket.address().port,
    told: () => told,
    quiet: async () => {
      for (lastMs = Date.now(); Date.now() - lastMs < quietMs; ) await delay(200);
    },
  };
}
