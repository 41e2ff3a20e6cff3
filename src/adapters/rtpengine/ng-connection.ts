/**
 * An ng connection over TCP or WebSocket, used as the socket of `connected-socket.ts` is: it is made anew when something is
 * to be sent, and while it is being made what is sent is dropped, for `onConnected` sends it.
 *
 * No error here is ever thrown or left unheard. Left out: what lies on the wire (ng-stream.ts, ng-websocket.ts).
 */
import { performance } from 'node:perf_hooks';
import type { ConnectedSocket, ConnectedSocketOptions } from './connected-socket.ts';

export type ConnectionOptions = Omit<ConnectedSocketOptions, 'lookup'>;

/** What a connection tells; nothing after `closed`. */
export interface WireEvents {
  opened(): void;
  /** One reply, latin1. */
  heard(text: string): void;
  closed(reason: string): void;
}

export interface Wire {
  write(command: Buffer): void;
  /** Whether it keeps the process alive. */
  busy(waiting: boolean): void;
  destroy(): void;
}

/** Never calls back before it has returned. */
export type Dial = (options: ConnectionOptions, events: WireEvents) => Wire;

/** A reply may take its time; a connection on which nothing at all came for so long is dead, whatever the system thinks. */
const deadMs = 1_500;

export function connectionOver(dial: Dial, options: ConnectionOptions): ConnectedSocket {
  let wire: Wire | undefined;
  let isOpen = false;
  let isClosed = false;
  let isWaiting = false;
  let heardMs = performance.now();
  dialAnew();

  function dialAnew(): void {
    isOpen = false;
    heardMs = performance.now();
    const mine = dial(options, {
      opened: () => {
        if (wire !== mine) return;
        isOpen = true;
        options.onConnected();
      },
      heard: (text) => {
        if (wire !== mine) return;
        heardMs = performance.now();
        options.onMessage(text);
      },
      closed: (reason) => {
        if (wire !== mine) return;
        drop();
        options.onError(reason);
      },
    });
    wire = mine;
    wire.busy(isWaiting);
  }

  function drop(): void {
    const old = wire;
    wire = undefined;
    isOpen = false;
    old?.destroy();
  }

  return {
    send(command) {
      if (isClosed) return;
      if (wire === undefined) dialAnew();
      else if (isOpen) wire.write(command);
    },
    busy(waiting) {
      isWaiting = waiting;
      wire?.busy(waiting);
    },
    silent() {
      if (performance.now() - heardMs >= deadMs) drop();
    },
    close() {
      isClosed = true;
      drop();
    },
  };
}
