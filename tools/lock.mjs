/**
 * One process at a time: `npm start` and `npm test` may be started together in one clone, and two `npm ci` at once
 * leave half a node_modules. The kernel holds the lock for the `flock` program, which ends when nobody has its standard
 * input open any more: neither we, nor a child that `action` gave it to and that outlives us when we are killed.
 */
import { spawn } from 'node:child_process';
import { say } from './say.mjs';

const tellAfterMs = 500;

export async function locked(path, what, action) {
  const held = await take(path, what);
  try {
    return await action(held);
  } finally {
    held.end();
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
      resolve(holder.stdin);
    };
    holder.stdin.on('error', () => {});
    holder.stdout.once('data', go);
    // Without a flock program (not Debian or Ubuntu) there is no lock, which is better than no Viaduct.
    holder.once('error', go);
    holder.once('exit', go);
  });
}
