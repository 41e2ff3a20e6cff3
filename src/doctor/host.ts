/** Limits of this host: open files, and the ports it gives to outgoing connections (Linux; elsewhere not known). */
import { readFileSync } from 'node:fs';
import type { Finding } from '../engine/operations.ts';
import { finding } from './finding.ts';

/** A connection is a file. */
const fewFiles = 4_096;

export function fileFindings(): readonly Finding[] {
  const limit = Number(/^Max open files +(\d+)/m.exec(read('/proc/self/limits'))?.[1] ?? Number.POSITIVE_INFINITY);
  if (limit >= fewFiles) return [];
  const words = `This process may have ${limit} files open, and each connection is one.`;
  return [finding('host', 'warning', words, 'Raise it: LimitNOFILE=65536 of systemd, or ulimit -n.')];
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
