/**
 * Runs child processes for the bootstrap.
 *
 * The child that is in the foreground has its own process group. Ctrl-C then reaches the bootstrap alone (twice, when
 * npm passes it on as well), and the bootstrap passes it to the child once; the child shuts down in order and the
 * bootstrap waits for it. SIGHUP, a closed terminal, is a request to end in order, so it arrives as SIGTERM.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

const passedOn = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' };
/** The same signal again within this time is the same key press. */
const sameSignalMs = 1000;

/** Runs to the end with our terminal; resolves with the exit code, 128 + n when signal n ended it. */
export function foreground(command, args, { env = process.env, cwd, wholeGroup = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env, cwd, detached: true });
    const stopPassing = passSignals((signal) => signalTo(child, signal, wholeGroup));
    child.once('error', (error) => {
      stopPassing();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopPassing();
      resolve(exitCode(code, signal));
    });
  });
}

/** Runs to the end in the background; resolves with the exit code and everything it wrote. It keeps `holding` open. */
export function captured(command, args, { env = process.env, cwd, holding } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', holding ?? 'ignore'], env, cwd });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
      });
    }
    child.once('error', (error) => resolve({ code: 127, output: error.message }));
    child.once('close', (code, signal) => resolve({ code: exitCode(code, signal), output }));
  });
}

function passSignals(send) {
  const lastMs = new Map();
  const listeners = Object.entries(passedOn).map(([name, signal]) => {
    const listener = () => {
      const nowMs = Date.now();
      if (nowMs - (lastMs.get(name) ?? 0) < sameSignalMs) return;
      lastMs.set(name, nowMs);
      send(signal);
    };
    process.on(name, listener);
    return () => process.off(name, listener);
  });
  return () => {
    for (const remove of listeners) remove();
  };
}

function signalTo(child, signal, wholeGroup) {
  try {
    process.kill(wholeGroup ? -child.pid : child.pid, signal);
  } catch {
    // It has just ended by itself; its exit event is on the way.
  }
}

function exitCode(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}
