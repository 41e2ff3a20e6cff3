/**
 * Loaded into every test file's process: a file whose tests are over, but which still has a socket or a timer, fails
 * by name. Without this the whole run would hang, and `--test-force-exit` would hide the leak.
 */
import { after } from 'node:test';

/** Stopping a database server is part of it, on a machine that does a lot else. */
const patienceMs = 60_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  after(() => {
    setTimeout(() => {
      process.stderr.write(
        `its tests are over, but these keep it alive: ${process.getActiveResourcesInfo().join(', ')}\n`,
      );
      process.exit(1);
    }, patienceMs).unref();
  });
}
