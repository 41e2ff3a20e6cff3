/** `viaduct doctor`: what is wrong with the running installation, each with its cure. Exit code 1 on errors. */
import type { Static } from 'typebox';
import { DoctorBody } from '../../routes/http/schemas.ts';
import { Failure } from '../errors.ts';
import type { Tone } from '../story/steps.ts';
import { read } from './calls.ts';
import type { Running } from './running.ts';
import { type Screen, writeLine } from './terminal.ts';
import { wrapped } from './wrapped.ts';

export const doctorHelp = `viaduct doctor [--url http://HOST:PORT]

Looks at the running Viaduct, or at its settings where none runs: listeners,
advertised addresses, DNS of the domains, certificates, the database and its
clock, and each rtpengine with a test offer. Says what is wrong and how to cure
it; the exit code is 1 when something is broken.
`;

type Found = Static<typeof DoctorBody>['findings'][number];

const marks: Readonly<Record<Found['level'], readonly [mark: string, tone: Tone]>> = {
  ok: ['ok     ', 'good'],
  notice: ['notice ', 'plain'],
  warning: ['WARNING', 'bad'],
  error: ['ERROR  ', 'bad'],
};

export async function doctorCommand(running: Running, screen: Screen): Promise<number> {
  const body = await read(running, '/api/v1/doctor', DoctorBody);
  if (body === undefined) throw new Failure('api-refused', 'It has no doctor: it is an older one.');
  return writeFindings(screen, body.findings);
}

/** The exit code. */
export function writeFindings(screen: Screen, findings: readonly Found[]): number {
  for (const found of findings) writeFinding(screen, found);
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  writeLine(screen, `\n${counted(errors, 'error')}, ${counted(warnings, 'warning')}.`, errors > 0 ? 'bad' : 'good');
  return errors > 0 ? 1 : 0;
}

function counted(times: number, word: string): string {
  return `${times} ${word}${times === 1 ? '' : 's'}`;
}

function writeFinding(screen: Screen, { check, level, says, cure }: Found): void {
  const [mark, tone] = marks[level];
  const [first = '', ...more] = wrapped(says, ' '.repeat(indent), screen.columns);
  writeLine(screen, `${mark} ${check.padEnd(11)} ${first.slice(indent)}`, tone);
  for (const line of more) writeLine(screen, line, tone);
  if (cure !== '') for (const line of wrapped(`→ ${cure}`, ' '.repeat(indent), screen.columns)) writeLine(screen, line);
}

const indent = 20;
