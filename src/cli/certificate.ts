/**
 * `viaduct certificate`: an authority of one's own, and certificates by it for servers, trunks and laboratories. The files
 * are made in `certificate-folder.ts`; the certificate that `npm start` makes for itself, in
 * `src/adapters/network/certificate.ts`.
 */
import { parseArgs } from 'node:util';
import { canonicalAddress } from '../adapters/network/addresses.ts';
import { certificateFindings, certificatesIn, certificateText } from '../adapters/network/certificate-findings.ts';
import { systemAuthorityNames } from '../adapters/network/tls-source.ts';
import { failureOf } from '../errors.ts';
import { makeAuthority, makeClient, makeServer, mustRead, NotDone, revoke, type Work } from './certificate-folder.ts';
import { optionError, UsageError, usageWords } from './usage-error.ts';

export interface CertificateCommandContext {
  readonly nowMs: number;
  write(text: string): void;
  writeError(text: string): void;
}

export const certificateHelp = `Certificates of an authority of your own, for tls.cfg.

  viaduct certificate ca               an authority; import its ca.pem where it
                                       shall be trusted
  viaduct certificate server NAME...   for a server with these domains and
                                       addresses; makes the authority, too
  viaduct certificate client NAME      for a trunk or a telephone that must show
                                       one (require_certificate)
  viaduct certificate revoke FILE      withdraw a certificate: writes crl.pem
  viaduct certificate show FILE        what is in it, and what is wrong with it

  --dir DIR   the folder of the files; else ./tls
  --days N    how long it is valid; else 3650 for an authority, 397 for a
              certificate, 30 for a list of the withdrawn
  --force     make it anew where there is one already

Browsers trust it only where ca.pem was imported. For a public server take one
of a public authority (Let's Encrypt).
`;

/** 0: done. 1: not done, with the reason. 2: the command was not understood. */
export async function certificateCommand(args: readonly string[], context: CertificateCommandContext): Promise<number> {
  try {
    return await run(args, context);
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      context.writeError(usageWords(thrown, 'certificate'));
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
      if (names.length === 0) throw new UsageError('For which domain or address? The name is missing.');
      return await makeServer(names.map(serverName), work);
    case 'client':
      return await makeClient(clientName(onlyOne(names, 'Whose certificate? The name is missing.')), work);
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
    throw optionError(thrown);
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

function clientName(text: string): string {
  if (/^[a-z0-9][a-z0-9_.-]{0,63}$/i.test(text)) return text;
  throw new UsageError(`"${text}" cannot be a name; use letters, digits, dots and dashes.`);
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
