/**
 * docker-compose.yml as a project of its own: other ports than the defaults, and everything gone when the scope ends,
 * volumes and images included. With `docker compose`, or with the older `docker-compose` where there is no other.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, type Scope, startProcess } from '../support/process.ts';

const projectDir = join(import.meta.dirname, '..', '..');
const LONGEST_MS = 600_000;
const POLL_MS = 250;

export interface Composed {
  /** The address by which telephones reach it, and from which they call. */
  readonly address: string;
  readonly sipPort: number;
  readonly httpPort: number;
  /** Runs `docker compose ...args` and returns what it printed; fails when that fails. */
  compose(...args: readonly string[]): Promise<string>;
  /** `viaduct ...args` in the container, with a line of input. */
  viaduct(args: readonly string[], input?: string): Promise<string>;
  /** Waits until the health check of this service has said so. */
  healthy(service: string, withinMs?: number): Promise<void>;
  /** From the REST interface, with the token of the data volume. */
  get(path: string): Promise<unknown>;
}

export async function composed(scope: Scope): Promise<Composed> {
  const address = outerAddress();
  const [sipPort, ng, httpPort, sips, wss] = await Promise.all([
    freePort('both'),
    freePort('udp'),
    freePort('tcp'),
    freePort('tcp'),
    freePort('tcp'),
  ]);
  const firstRtp = 20_000 + 40 * (process.pid % 240);
  const env = {
    PUBLIC_ADDRESS: address,
    SIP_PORT: String(sipPort),
    SIPS_PORT: String(sips),
    WSS_PORT: String(wss),
    HTTP_PORT: String(httpPort),
    NG_PORT: String(ng),
    RTP_PORTS: `${firstRtp}-${firstRtp + 39}`,
    // A `.env` of this clone is for people.
    API_TOKEN: '',
    DOMAINS: '',
    HEP: '',
    TLS_CFG: '',
    TOKEN_SECRET: '',
  };
  const [command, ...before] = composeCommand();
  const project = ['--project-name', `viaduct-test-${process.pid}`];
  const run = async (args: readonly string[]): Promise<string> => {
    const child = startProcess(scope, command, [...before, ...project, ...args], { cwd: projectDir, env });
    const { code } = await child.ended(LONGEST_MS);
    assert.equal(code, 0, `docker compose ${args.join(' ')}\n${child.output()}`);
    return child.output();
  };
  scope.after(async () => void (await run(['down', '--volumes', '--rmi', 'local'])));
  const viaduct = (args: readonly string[], input = ''): Promise<string> =>
    run(['exec', '-T', 'viaduct', 'sh', '-c', `printf '%s\\n' "$0" | viaduct "$@"`, input, ...args]);
  return {
    address,
    sipPort,
    httpPort,
    compose: (...args) => run(args),
    viaduct,
    async healthy(service, withinMs = 60_000) {
      for (const deadlineMs = Date.now() + withinMs; ; await delay(POLL_MS)) {
        const status = await run(['ps', service]);
        if (/\(healthy\)/.test(status)) return;
        if (Date.now() < deadlineMs) continue;
        assert.fail(`${service} is not healthy\n${status}\n${await run(['logs', '--tail=50', service])}`);
      }
    },
    async get(path) {
      const token = (await run(['exec', '-T', 'viaduct', 'cat', '/var/lib/viaduct/api-token'])).trim();
      const response = await fetch(`http://127.0.0.1:${httpPort}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      assert.equal(response.status, 200, path);
      return response.json();
    },
  };
}

function composeCommand(): readonly [string, ...string[]] {
  if (spawnSync('docker', ['compose', 'version']).status === 0) return ['docker', 'compose'];
  if (spawnSync('docker-compose', ['version']).status === 0) return ['docker-compose'];
  return assert.fail('neither `docker compose` nor `docker-compose` is here; install Docker');
}

/** Of the first interface that others can reach. */
function outerAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outer = all.find(({ internal, family }) => !internal && family === 'IPv4');
  return outer?.address ?? assert.fail('this machine has no address but loopback');
}
