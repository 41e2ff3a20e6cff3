/**
 * The folder of an authority: `ca.pem` and `ca-key.pem`, a pair of files for each certificate by it, `crl.pem`. Makes them
 * and says what to do with them. What a certificate consists of stands in `src/adapters/network/certificate-issue.ts`.
 */
import { access, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { canonicalAddress } from '../adapters/network/addresses.ts';
import { certificatesIn, certificateText } from '../adapters/network/certificate-findings.ts';
import {
  type Issued,
  issueAuthority,
  issueCertificate,
  issueRevocations,
} from '../adapters/network/certificate-issue.ts';
import { writeWhole } from '../adapters/network/pem.ts';

export interface Work {
  readonly dir: string;
  /** `undefined`: as usual for what is made. */
  readonly days: number | undefined;
  /** Files that are there are written over. */
  readonly force: boolean;
  readonly context: { readonly nowMs: number; write(text: string): void };
}

/** What cannot be done, in words that say what to do instead. */
export class NotDone extends Error {}

const dayMs = 86_400_000;
const authorityDays = 3_650;
/** Browsers and Apple's clients refuse more. */
const certificateDays = 397;
const listDays = 30;

/** From yesterday: clocks of clients may be behind. */
function validity({ context, days }: Work, otherwise: number) {
  const fromMs = context.nowMs - dayMs;
  return { fromMs, untilMs: fromMs + (days ?? otherwise) * dayMs };
}

export async function makeAuthority(work: Work): Promise<Issued> {
  const { dir, context } = work;
  await vacant(work, 'ca.pem');
  const day = new Date(context.nowMs).toISOString().slice(0, 10);
  const made = await issueAuthority(`Viaduct CA ${day}`, validity({ ...work }, authorityDays));
  await save(work, 'ca', made);
  context.write(`Import ${join(dir, 'ca.pem')} where it shall be trusted; keep ${join(dir, 'ca-key.pem')} secret.\n`);
  return made;
}

export async function makeServer(names: readonly string[], work: Work): Promise<number> {
  const [first] = names;
  if (first === undefined) throw new NotDone('A certificate needs a name.');
  const file = fileName(first);
  await vacant(work, `${file}.pem`);
  const authority = (await storedAuthority(work)) ?? (await makeAuthority({ ...work, days: undefined }));
  const { pem, key } = await issueCertificate(authority, {
    names,
    purpose: 'server',
    ...validity(work, certificateDays),
  });
  await save(work, file, { pem: pem + authority.pem, key });
  // An address and a star are no names that a client asks for (RFC 6066 §3).
  const asked = canonicalAddress(first) === undefined && !first.startsWith('*');
  const named = asked ? `[server:any]\nserver_name = ${first}\n` : '[server:default]\n';
  work.context.write(`In tls.cfg:\n\n${named}${pairLines(work, file)}\nThen: npx viaduct reload\n`);
  return 0;
}

export async function makeClient(name: string, work: Work): Promise<number> {
  await vacant(work, `${name}.pem`);
  const authority = (await storedAuthority(work)) ?? (await makeAuthority({ ...work, days: undefined }));
  const { pem, key } = await issueCertificate(authority, {
    names: [name],
    purpose: 'client',
    ...validity(work, certificateDays),
  });
  await save(work, name, { pem: pem + authority.pem, key });
  const rules = `[server:192.0.2.1:5061]\nrequire_certificate = yes\nca_list = ${resolve(work.dir, 'ca.pem')}\n`;
  work.context.write(`Give both files to ${name}. In tls.cfg, for the socket that it connects to:\n\n${rules}`);
  return 0;
}

export async function revoke(path: string, work: Work): Promise<number> {
  const authority = await storedAuthority(work);
  if (authority === undefined) throw new NotDone(`${work.dir} has no ca.pem and ca-key.pem; name it with --dir.`);
  const [own] = certificatesIn(await mustRead(path));
  const [ca] = certificatesIn(authority.pem);
  if (own === undefined) throw new NotDone(`${path} has no certificate in PEM.`);
  if (ca === undefined || !own.checkIssued(ca)) throw new NotDone(`${path} is not of the authority in ${work.dir}.`);
  const list = join(work.dir, 'crl.pem');
  const before = await readOrNothing(list);
  const made = await issueRevocations(authority, [own.toString()], before, validity(work, listDays));
  await writeWhole(list, made, 0o644);
  work.context.write(`Wrote ${list}: ${certificateText(own)} is withdrawn. In tls.cfg, beside ca_list:\n\n`);
  work.context.write(
    `crl = ${resolve(list)}\n\nThe list itself runs out: run this again before, and then: npx viaduct reload\n`,
  );
  return 0;
}

// --- files -----------------------------------------------------------------------------------------------------------

function fileName(name: string): string {
  return name.replace(/^\*/, '_').replace(/:/g, '_');
}

function pairLines({ dir }: Work, file: string): string {
  return `certificate = ${resolve(dir, `${file}.pem`)}\nprivate_key = ${resolve(dir, `${file}-key.pem`)}\n`;
}

/** A key that is written over is lost to everybody who uses it. */
async function vacant({ dir, force }: Work, file: string): Promise<void> {
  const path = join(dir, file);
  const taken = await access(path).then(
    () => true,
    () => false,
  );
  if (taken && !force) throw new NotDone(`${path} is there already; --force makes it anew.`);
}

async function save({ dir, context }: Work, file: string, { pem, key }: Issued): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeWhole(join(dir, `${file}-key.pem`), key, 0o600);
  await writeWhole(join(dir, `${file}.pem`), pem, 0o644);
  const [own] = certificatesIn(pem);
  if (own === undefined) return;
  context.write(
    `Wrote ${join(dir, `${file}.pem`)} and its key: ${certificateText(own)}, valid until ${own.validTo}.\n`,
  );
}

async function storedAuthority({ dir }: Work): Promise<Issued | undefined> {
  const pem = await readOrNothing(join(dir, 'ca.pem'));
  const key = await readOrNothing(join(dir, 'ca-key.pem'));
  return pem === undefined || key === undefined ? undefined : { pem, key };
}

async function readOrNothing(path: string): Promise<string | undefined> {
  return readFile(path, 'latin1').catch(() => undefined);
}

export async function mustRead(path: string): Promise<string> {
  const text = await readOrNothing(path);
  if (text === undefined) throw new NotDone(`${path} cannot be read.`);
  return text;
}
