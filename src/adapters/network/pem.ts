/** A certificate and its key as two PEM files. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import { errorCode } from './listeners.ts';

export interface Stored {
  readonly pem: string;
  readonly key: string;
  /** The first of `pem`. */
  readonly certificate: X509Certificate;
  /** Whether the key is the one of the certificate. */
  readonly matches: boolean;
}

/** `undefined` when one of them is not there. What is there and cannot be read is a `Failure` that names the file. */
export async function readPair(certificatePath: string, keyPath: string): Promise<Stored | undefined> {
  const pem = await read(certificatePath);
  const key = await read(keyPath);
  if (pem === undefined || key === undefined) return undefined;
  const certificate = parsed(certificatePath, () => new X509Certificate(pem));
  const privateKey = parsed(keyPath, () => createPrivateKey(key));
  return { pem, key, certificate, matches: certificate.checkPrivateKey(privateKey) };
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined;
    throw unreadable(path, thrown);
  }
}

function parsed<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

function unreadable(path: string, thrown: unknown): Failure {
  return new Failure('certificate-unreadable', `${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
}

/** Nobody ever reads half of it. */
export async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await chmod(`${path}.new`, mode);
  await rename(`${path}.new`, path);
}
