/**
 * A process that starts the embedded server of the folder it is given, says so, and lives on: the tests kill it.
 */
import { startEmbedded } from '../../../src/adapters/postgres/embedded.ts';
import { NOTHING_INSTALLED, silentLog } from '../../support/postgres.ts';

const dataDir = process.argv[2] ?? '';
const embedded = await startEmbedded({ dataDir, log: silentLog, installedRoot: NOTHING_INSTALLED });
console.log(`postmaster ${embedded.pid()}`);
setInterval(() => undefined, 60_000);
