/**
 * The command line, `npx viaduct`: one row a command. Each is loaded when it is called, so that `help` stays quick.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf } from '../errors.ts';
import { argumentsOf, UsageError, usageWords } from './usage-error.ts';

interface Command {
  /** As it stands in the list: `explain [ID]`. */
  readonly usage: string;
  readonly summary: string;
  /** For `viaduct help COMMAND`; absent: the summary says it all. */
  readonly help?: () => Promise<string>;
  run(args: readonly string[]): Promise<number>;
}

/** In the order of the list; each group begins with its title. */
const groups: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['A call failed, or nobody hears anything', ['explain', 'ladder', 'calls', 'doctor', 'log-level']],
  ['Who may call, and how he is reached', ['user', 'alias', 'session', 'import']],
  ['The proxy itself', ['start', 'reload', 'certificate', 'version', 'help']],
];

const commands: Readonly<Record<string, Command>> = {
  explain: {
    usage: 'explain [ID]',
    summary: 'why a call failed or was silent, and what to do',
    help: async () => (await import('./explain.ts')).explainHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('explain', args),
  },
  ladder: {
    usage: 'ladder [ID]',
    summary: 'what passed in a call, message by message',
    help: async () => (await import('./calls.ts')).ladderHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('ladder', args),
  },
  calls: {
    usage: 'calls [export] [STATE]',
    summary: 'calls in progress and ended ones; export as CSV',
    help: async () => (await import('./calls.ts')).callsHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('calls', args),
  },
  doctor: {
    usage: 'doctor',
    summary: 'what is wrong with this installation, and its cure',
    help: async () => (await import('./doctor.ts')).doctorHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('doctor', args),
  },
  'log-level': {
    usage: 'log-level [LEVEL]',
    summary: 'how much the running proxy logs',
    help: async () => (await import('./log-level.ts')).logLevelHelp,
    run: async (args) => (await import('./log-level.ts')).logLevelHere(args),
  },
  user: {
    usage: 'user',
    summary: 'accounts that may log in',
    help: async () => (await import('./user.ts')).userHelp,
    run: async (args) => (await import('./user-here.ts')).userHere(args),
  },
  alias: {
    usage: 'alias',
    summary: 'other names of accounts, and dial rules',
    help: async () => (await import('./alias.ts')).aliasHelp,
    run: async (args) => (await import('./user-here.ts')).aliasHere(args),
  },
  session: {
    usage: 'session',
    summary: 'short-lived logins for browsers',
    help: async () => (await import('./session.ts')).sessionHelp,
    run: async (args) => (await import('./session.ts')).sessionHere(args),
  },
  import: {
    usage: 'import kamailio URL',
    summary: 'take over accounts, aliases, registrations',
    help: async () => (await import('./import.ts')).importHelp,
    run: async (args) => (await import('./user-here.ts')).importHere(args),
  },
  start: {
    usage: 'start',
    summary: 'start the proxy, as `npm start` does',
    async run(args) {
      argumentsOf(args, [], 0);
      await import('../main.ts');
      return 0;
    },
  },
  reload: {
    usage: 'reload',
    summary: 'settings, tls.cfg and routes/ are read again',
    help: async () => (await import('./reload.ts')).reloadHelp,
    run: async (args) => (await import('./reload.ts')).reloadHere(args),
  },
  certificate: {
    usage: 'certificate',
    summary: 'an authority of your own, and certificates by it',
    help: async () => (await import('./certificate.ts')).certificateHelp,
    async run(args) {
      const { certificateCommand } = await import('./certificate.ts');
      return certificateCommand(args, {
        nowMs: Date.now(),
        write,
        writeError: (text) => process.stderr.write(text),
      });
    },
  },
  version: {
    usage: 'version',
    summary: 'which Viaduct this is',
    async run() {
      write(`viaduct ${version()}, Node ${process.versions.node}\n`);
      return 0;
    },
  },
  help: {
    usage: 'help [COMMAND|settings]',
    summary: 'more about a command, or a setting (MAX_CALLS)',
    run: help,
  },
};

async function help([topic]: readonly string[]): Promise<number> {
  if (topic === 'settings') return await helpOfSettings();
  if (topic !== undefined && /^[A-Z_]+$/.test(topic)) return await helpOfSettings(topic);
  const command = topic !== undefined && Object.hasOwn(commands, topic) ? commands[topic] : undefined;
  if (topic !== undefined && command === undefined) return unknown(topic);
  write(command === undefined ? overview() : await helpOf(command));
  return 0;
}

/** Of all, or of one. */
async function helpOfSettings(name?: string): Promise<number> {
  const { settingsHelp } = await import('../config.ts');
  const { wrapped } = await import('./wrapped.ts');
  const text = settingsHelp(name);
  if (text === '') return unknown(name ?? '', 'setting', 'help settings');
  const lines = text.split('\n').flatMap((line) => wrapped(line.trimStart(), /^ */.exec(line)?.[0] ?? '', 80));
  write(`Settings are environment variables, or lines of .env; empty means unset.\n\n${lines.join('\n')}`);
  return 0;
}

async function helpOf(command: Command): Promise<string> {
  return (await command.help?.()) ?? `viaduct ${command.usage}: ${command.summary}\n`;
}

function overview(): string {
  const width = Math.max(...Object.values(commands).map(({ usage }) => usage.length));
  const lines = groups.map(([title, names]) => {
    const rows = names.flatMap((name) => commands[name] ?? []);
    return `\n${title}:\n${rows.map(({ usage, summary }) => `  ${usage.padEnd(width)}   ${summary}\n`).join('')}`;
  });
  return `Viaduct, a SIP proxy that makes browsers and telephones talk.\nUsage: npx viaduct COMMAND\n${lines.join('')}`;
}

function unknown(name: string, kind = 'command', where = 'help'): number {
  process.stderr.write(`There is no ${kind} "${name}".\nThose that there are: npx viaduct ${where}\n`);
  return 2;
}

function version(): string {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8');
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
}

function write(text: string): void {
  process.stdout.write(text);
}

/** The exit code: 0 done, 1 not done, 2 not understood. */
async function main([name = 'help', ...args]: readonly string[]): Promise<number> {
  const plain = name === '--help' || name === '-h' ? 'help' : name === '--version' ? 'version' : name;
  const command = Object.hasOwn(commands, plain) ? commands[plain] : undefined;
  if (command === undefined) return unknown(name);
  if (args.includes('--help') || args.includes('-h')) return help([plain]);
  try {
    return await command.run(args);
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    process.stderr.write(usageWords(thrown, plain));
    return 2;
  }
}

/** `| head` has read what it wanted, and the shell knows this code from every other program (SIGPIPE). */
function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(141);
  });
}

try {
  // A proxy goes on without its reader.
  if (process.argv[2] !== 'start') endWithReader();
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  const failure = failureOf(thrown);
  process.stderr.write(`${failure.message}\n${failure.row.nextStep}\n`);
  process.exitCode = 1;
}
