/**
 * One process at a time: `npm start` and `npm test` may be started together in one clone, and two `npm ci` at once
 * leave half a node_modules. The kernel holds the lock for the `flock` program, which ends when its standard input
 * does: by our release, or by our death, however sudden.
 */
import { spawn } from 'node:child_process';
import { say } from './say.mjs';

const tellAfterMs = 500;

export async function locked(path, what, action) {
  const release = await take(path, what);
  try {
    return await action();
  } finally {
    release();
  }
}

function take(path, what) {
  return new Promise((resolve) => {
    const holder = spawn('flock', [path, 'sh', '-c', 'echo; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true, // or Ctrl-C would end it before us
    });
    const tell = setTimeout(() => say(`waiting for another process that is ${what}`), tellAfterMs);
    const go = () => {
      clearTimeout(tell);
      resolve(() => holder.stdin.end());
    };
    holder.stdin.on('error', () => {});
    holder.stdout.once('data', go);
    // Without a flock program (not Debian or Ubuntu) there is no lock, which is better than no Viaduct.
    holder.once('error', go);
    holder.once('exit', go);
  });
}
