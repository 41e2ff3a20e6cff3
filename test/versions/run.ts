/**
 * `npm run test:versions`, also with `-- test/media/golden.test.ts` or `-- --suite=trixie`: what rounds.ts does, in a room
 * of its own (a PID namespace). With the room everything in it ends, also what has a process group of its own or has lost
 * its parent: when the tests are over, when we are asked to end, and when we are killed. As root.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const rounds = fileURLToPath(new URL('rounds.ts', import.meta.url));
// The shell takes up who has lost its parent, which Node would leave as a zombie.
const shell = ['sh', '-c', '"$@" & wait "$!"', 'sh'];
const unshare = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...shell];
const room = spawn(
  'setpriv',
  ['--pdeathsig', 'KILL', ...unshare, process.execPath, rounds, ...process.argv.slice(2)],
  // Ctrl-C is for us.
  { stdio: ['ignore', 'inherit', 'inherit'], detached: true },
);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    process.exitCode = 128 + constants.signals[signal];
    room.kill('SIGKILL');
  });
}
room.once('error', (error) => {
  console.error(`The tests need setpriv and unshare (util-linux): ${error.message}`);
  process.exitCode = 1;
});
room.once('exit', (code) => {
  process.exitCode ??= code ?? 1;
});
