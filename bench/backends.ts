/** PostgreSQL and rtpengine for one case, on free ports of loopback; either may be made to answer late. */
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRtpengine } from '../src/adapters/rtpengine/child.ts';
import { type PostgresServerOptions, startPostgresServer } from '../test/support/postgres-server.ts';
import type { Scope } from '../test/support/process.ts';
import { realClock, realRandom, silentLog } from '../test/support/rtpengine.ts';
import type { Case } from './cases.ts';

export interface Backends {
  /** Of the server, as it is reached by the proxy. */
  readonly postgresPort: number;
  /** As in DATABASE_URL, and past the delay. */
  postgresUrl(database: string): string;
  directUrl(database: string): string;
  readonly rtpenginePort: number;
  readonly pids: { readonly postgres: number; readonly rtpengine: number };
}

type Wishes = Pick<Case, 'postgresMs' | 'rtpengineMs'> & Pick<PostgresServerOptions, 'sharedBuffers'>;

export async function startBackends(
  scope: Scope,
  { postgresMs = 0, rtpengineMs = 0, sharedBuffers = '128MB' }: Wishes,
): Promise<Backends> {
  const server = await startPostgresServer({ durable: true, sharedBuffers });
  scope.after(() => server.remove());
  const dataDir = mkdtempSync(join(tmpdir(), 'viaduct-bench-'));
  const services = { clock: realClock, random: realRandom, log: silentLog };
  const rtpengine = await startRtpengine({ dataDir, interfaces: ['127.0.0.1'], portMax: 39_999, ...services });
  scope.after(async () => {
    await rtpengine.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const postgresPort = postgresMs > 0 ? await delayTcp(scope, server.port, postgresMs) : server.port;
  const rtpenginePort = rtpengineMs > 0 ? await delayUdp(scope, rtpengine.node.port, rtpengineMs) : rtpengine.node.port;
  return {
    postgresPort,
    rtpenginePort,
    directUrl: server.url,
    postgresUrl: (database) => server.url(database).replace(`:${server.port}/`, `:${postgresPort}/`),
    pids: { postgres: server.pid(), rtpengine: rtpengine.pid() },
  };
}

/** What the server sends arrives `ms` later. */
async function delayTcp(scope: Scope, target: number, ms: number): Promise<number> {
  const relay = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    client.on('data', (bytes) => server.write(bytes));
    server.on('data', (bytes) => setTimeout(() => client.writable && client.write(bytes), ms));
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  scope.after(() => void relay.close());
  return portOf(relay.address());
}

async function delayUdp(scope: Scope, target: number, ms: number): Promise<number> {
  const front = createSocket('udp4');
  const behind = new Map<number, Socket>();
  front.on('message', (request, { port }) => {
    const socket = behind.get(port) ?? answering(port);
    socket.send(request, target, '127.0.0.1');
  });
  const answering = (port: number): Socket => {
    const socket = createSocket('udp4');
    socket.on('message', (reply) => setTimeout(() => front.send(reply, port, '127.0.0.1'), ms));
    behind.set(port, socket);
    return socket;
  };
  await new Promise<void>((resolve) => front.bind(0, '127.0.0.1', resolve));
  scope.after(() => {
    for (const socket of [front, ...behind.values()]) socket.close();
  });
  return front.address().port;
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
