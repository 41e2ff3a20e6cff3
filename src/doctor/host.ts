/** Limits of this host: open files, and the ports it gives to outgoing connections (Linux; elsewhere not known). */
import { readdirSync, readFileSync } from 'node:fs';
import type { Finding } from '../engine/operations.ts';
import { finding } from './finding.ts';

/** A connection is a file. */
const fewFiles = 4_096;
const nearlyAll = 0.9;

/** With none left the kernel's connections are closed by Node itself, which tells neither us nor the log. */
export function fileFindings(limit = mostFiles(), open = openFiles()): readonly Finding[] {
  if (open >= limit * nearlyAll) {
    const words = `${open} of ${limit} files are open: new connections are closed at once, and no log tells.`;
    return [finding('host', 'error', words, `${raise} Restart then.`)];
  }
  if (limit >= fewFiles) return [];
  const words = `This process may have ${limit} files open, and each connection is one.`;
  return [finding('host', 'warning', words, raise)];
}

const raise = 'Raise it: LimitNOFILE=65536 of systemd, or ulimit -n.';

const mostFiles = (): number =>
  Number(/^Max open files +(\d+)/m.exec(read('/proc/self/limits'))?.[1] ?? Number.POSITIVE_INFINITY);

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

export function ephemeralPorts(): readonly [number, number] | undefined {
  const [, from, to] = /^(\d+)\s+(\d+)/.exec(read('/proc/sys/net/ipv4/ip_local_port_range')) ?? [];
  return from === undefined || to === undefined ? undefined : [Number(from), Number(to)];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
