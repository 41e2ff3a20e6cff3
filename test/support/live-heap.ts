/**
 * How much of the heap of another Node process is alive: its garbage is collected first, by the inspector that it was
 * started with (`NODE_OPTIONS: INSPECTED`). What the process holds of the system says little: V8 gives it back when it
 * likes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';

export const INSPECTED = '--inspect=127.0.0.1:0';

/** In MiB. `output`: of the process, where Node says at which address it can be inspected. */
export async function liveHeapMiB(output: string): Promise<number> {
  const url = /Debugger listening on (ws:\S+)/.exec(output)?.[1];
  assert.ok(url !== undefined, `started without ${INSPECTED}`);
  const socket = new WebSocket(url);
  try {
    await once(socket, 'open');
    await ask(socket, 1, 'HeapProfiler.collectGarbage');
    const [, bytes] = /"usedSize":(\d+)/.exec(await ask(socket, 2, 'Runtime.getHeapUsage')) ?? [];
    return Number(bytes) / 2 ** 20;
  } finally {
    socket.terminate();
  }
}

function ask(socket: WebSocket, id: number, method: string): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data) => {
      const text = String(data);
      if (text.startsWith(`{"id":${id},`)) resolve(text);
    });
    socket.once('close', () => reject(new Error('the inspector has closed')));
    socket.send(JSON.stringify({ id, method }));
  });
}
