/**
 * `viaduct certificate`: an authority of one's own, and certificates by it for servers, trunks and laboratories. What a
 * certificate consists of stands in `src/adapters/network/certificate-issue.ts`; the one that `npm start` makes for
 * itself, in `certificate.ts` beside it.
 */
import { access, mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { canonicalAddress } from '../adapters/network/addresses.ts';
import { certificateFindings, certificatesIn, certificateText } from '../adapters/network/certificate-findings.ts';
import {
  type Issued,
  issueAuthority,
  issueCertificate,
  issueRevocations,
} from '../adapters/network/certificate-issue.ts';
import { writeWhole } from '../adapters/network/pem.ts';
import { systemAuthorityNames } from '../adapters/network/tls-source.ts';
import { failureOf } from '../errors.ts';

export interface CertificateCommandContext {
  readonly nowMs: number;
  write(text: string): void;
  writeError(text: string): void;
}

export const certificateHelp = `Certificates of an authority of your own, for tls.cfg.

  viaduct certificate ca                    an authority: ca.pem, to be imported by whoever shall trust it
  viaduct certificate server NAME...        for a server with these domains and addresses; makes the authority, too
  viaduct certificate client NAME           for a trunk or a telephone that must show one (require_certificate)
  viaduct certificate revoke FILE           withdraw a certificate: writes crl.pem
  viaduct certificate show FILE             what is in a certificate, and what is wrong with it

  --dir DIR    the folder of the files; else ./tls
  --days N     how long it is valid; else 3650 for an authority, 397 for a certificate, 30 for a list of the withdrawn
  --force      make it anew where there is one already

Browsers trust it only where ca.pem was imported. For a public server take one of a public authority (Let's Encrypt).
`;

class UsageError extends Error {}

/** What cannot be done, in words that say what to do instead. */
class NotDone extends Error {}

interface Work {
  readonly dir: string;
  readonly days: number | undefined;
  readonly force: boolean;
  readonly context: CertificateCommandContext;
}

/** 0: done. 1: not done, with the reason. 2: the command was not understood. */
export async function certificateCommand(args: readonly string[], context: CertificateCommandContext): Promise<number> {
  try {
    return await run(args, context);
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      context.writeError(`${thrown.message}\n\n${certificateHelp}`);
      return 2;
    }
    const words = thrown instanceof NotDone ? thrown.message : failureOf(thrown).message;
    context.writeError(`${words}\n`);
    return 1;
  }
}

async function run(args: readonly string[], context: CertificateCommandContext): Promise<number> {
  const { values, positionals } = parseOptions(args);
  const [verb = 'help', ...names] = positionals;
  const work = { dir: values.dir ?? 'tls', days: daysOf(values.days), force: values.force === true, context };
  switch (values.help === true ? 'help' : verb) {
    case 'help':
      context.write(certificateHelp);
      return 0;
    case 'ca':
      if (names.length > 0) throw new UsageError(`What does "${names[0]}" mean here?`);
      await makeAuthority(work);
      return 0;
    case 'server':
      return await makeServer(names.map(serverName), work);
    case 'client':
      return await makeClient(onlyOne(names, 'Whose certificate? The name is missing.'), work);
    case 'revoke':
      return await revoke(onlyOne(names, 'Which certificate? The file is missing.'), work);
    case 'show':
      return await show(onlyOne(names, 'Which certificate? The file is missing.'), work);
    default:
      throw new UsageError(`There is no command "certificate ${verb}".`);
  }
}

function parseOptions(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const;
    const yes = { type: 'boolean' } as const;
    const options = { dir: text, days: text, force: yes, help: { ...yes, short: 'h' } } as const;
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new UsageError(`--days ${text}: write a number of days, such as --days 397.`);
  return Number(text);
}

function onlyOne([name, ...rest]: readonly string[], missing: string): string {
  if (name === undefined) throw new UsageError(missing);
  if (rest.length > 0) throw new UsageError(`What does "${rest[0]}" mean here?`);
  return name;
}

/** RFC 6125 §6.4.3: a star stands for the whole first label. */
function serverName(text: string): string {
  const address = canonicalAddress(text);
  if (address !== undefined) return address;
  const name = text.toLowerCase();
  if (name.length <= 253 && /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?$/.test(name)) return name;
  throw new UsageError(`"${text}" is neither a domain nor an address, such as sip.example.com or 192.0.2.1.`);
}

// --- making ----------------------------------------------------------------------------------------------------------

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

async function makeAuthority(work: Work): Promise<Issued> {
  const { dir, context } = work;
  await vacant(work, 'ca.pem');
  const day = new Date(context.nowMs).toISOString().slice(0, 10);
  const made = await issueAuthority(`Viaduct CA ${day}`, validity({ ...work }, authorityDays));
  await save(work, 'ca', made);
  context.write(`Import ${join(dir, 'ca.pem')} where it shall be trusted; keep ${join(dir, 'ca-key.pem')} secret.\n`);
  return made;
}

async function makeServer(names: readonly string[], work: Work): Promise<number> {
  const [first] = names;
  if (first === undefined) throw new UsageError('For which domain or address? The name is missing.');
  const file = fileName(first);
  await vacant(work, `${file}.pem`);
  const authority = (await storedAuthority(work)) ?? (await makeAuthority({ ...work, days: undefined }));
  const { pem, key } = await issueCertificate(authority, {
    names,
    purpose: 'server',
    ...validity(work, certificateDays),
  });
  await save(work, file, { pem: pem + authority.pem, key });
  const named = canonicalAddress(first) === undefined ? `[server:any]\nserver_name = ${first}\n` : '[server:default]\n';
  work.context.write(`In tls.cfg:\n\n${named}${pairLines(work, file)}\nThen: npx viaduct reload\n`);
  return 0;
}

async function makeClient(name: string, work: Work): Promise<number> {
  if (!/^[a-z0-9][a-z0-9_.-]{0,63}$/i.test(name)) {
    throw new UsageError(`"${name}" cannot be a name; use letters, digits, dots and dashes.`);
  }
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

async function revoke(path: string, work: Work): Promise<number> {
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

async function show(path: string, { context }: Work): Promise<number> {
  const pem = await mustRead(path);
  const chain = certificatesIn(pem);
  if (chain.length === 0) throw new NotDone(`${path} has no certificate in PEM.`);
  for (const certificate of chain) {
    const { validFrom, validTo, fingerprint256 } = certificate;
    context.write(`${certificateText(certificate)}\n  issued by ${certificate.issuer.split('\n').join(', ')}\n`);
    context.write(`  valid from ${validFrom} to ${validTo}\n  SHA-256 ${fingerprint256}\n`);
  }
  const roots = systemAuthorityNames();
  const findings = certificateFindings(pem, context.nowMs, (name) => roots.has(name));
  for (const { severity, words } of findings) context.write(`${severity}: ${words}\n`);
  return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
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

async function mustRead(path: string): Promise<string> {
  const text = await readOrNothing(path);
  if (text === undefined) throw new NotDone(`${path} cannot be read.`);
  return text;
}
