/**
 * The command line, `npx viaduct`: one row a command. Each is loaded when it is called, so that `help` stays quick.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failureOf } from '../errors.ts';
import { UsageError } from './usage-error.ts';

interface Command {
  /** As it stands in the list: `user add|list ...`. */
  readonly usage: string;
  readonly summary: string;
  /** For `viaduct help COMMAND`; absent: the summary says it all. */
  readonly help?: () => Promise<string>;
  run(args: readonly string[]): Promise<number>;
}

const commands: Readonly<Record<string, Command>> = {
  start: {
    usage: 'start',
    summary: 'start the proxy, as `npm start` does',
    async run() {
      await import('../main.ts');
      return 0;
    },
  },
  user: {
    usage: 'user add|list|password|disable|…',
    summary: 'accounts that may log in',
    help: async () => (await import('./user.ts')).userHelp,
    run: async (args) => (await import('./user-here.ts')).userHere(args),
  },
  alias: {
    usage: 'alias add|list|remove',
    summary: 'other names of accounts, and dial rules',
    help: async () => (await import('./alias.ts')).aliasHelp,
    run: async (args) => (await import('./user-here.ts')).aliasHere(args),
  },
  import: {
    usage: 'import kamailio URL [--dry-run]',
    summary: 'take over accounts, aliases and registrations of a Kamailio',
    help: async () => (await import('./import.ts')).importHelp,
    run: async (args) => (await import('./user-here.ts')).importHere(args),
  },
  session: {
    usage: 'session NAME|list|end',
    summary: 'short-lived logins for browsers',
    help: async () => (await import('./session.ts')).sessionHelp,
    run: async (args) => (await import('./session.ts')).sessionHere(args),
  },
  certificate: {
    usage: 'certificate ca|server|client|revoke|show',
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
  calls: {
    usage: 'calls [export] [STATE] [--follow]',
    summary: 'calls in progress and ended ones, with their quality; export as CSV',
    help: async () => (await import('./calls.ts')).callsHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('calls', args),
  },
  ladder: {
    usage: 'ladder [ID] [--follow]',
    summary: 'what passed in a call, message by message',
    help: async () => (await import('./calls.ts')).ladderHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('ladder', args),
  },
  explain: {
    usage: 'explain [ID] [--sdp] [--follow]',
    summary: 'why a call failed or was silent, and what to do',
    help: async () => (await import('./explain.ts')).explainHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('explain', args),
  },
  'log-level': {
    usage: 'log-level [LEVEL]',
    summary: 'how much the running proxy logs, shown or changed',
    help: async () => (await import('./log-level.ts')).logLevelHelp,
    run: async (args) => (await import('./log-level.ts')).logLevelHere(args),
  },
  reload: {
    usage: 'reload',
    summary: 'have the running proxy read its settings, tls.cfg and routes again; no call is lost',
    help: async () => (await import('./reload.ts')).reloadHelp,
    run: async (args) => (await import('./reload.ts')).reloadHere(args),
  },
  doctor: {
    usage: 'doctor',
    summary: 'what is wrong with this installation, and how to cure it',
    help: async () => (await import('./doctor.ts')).doctorHelp,
    run: async (args) => (await import('./ask-here.ts')).askHere('doctor', args),
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
    usage: 'help [COMMAND | settings]',
    summary: 'this list, more about one command, or every setting',
    run: help,
  },
};

async function help([topic]: readonly string[]): Promise<number> {
  if (topic === 'settings') {
    const { settingsHelp } = await import('../config.ts');
    write(`Settings are environment variables, or lines of .env; empty means unset.\n\n${settingsHelp()}`);
    return 0;
  }
  const command = topic === undefined ? undefined : commands[topic];
  if (topic !== undefined && command === undefined) return unknown(topic);
  write(command === undefined ? overview() : await helpOf(command));
  return 0;
}

async function helpOf(command: Command): Promise<string> {
  return (await command.help?.()) ?? `viaduct ${command.usage}: ${command.summary}\n`;
}

function overview(): string {
  const rows = Object.values(commands);
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const lines = rows.map(({ usage, summary }) => `  viaduct ${usage.padEnd(width)}   ${summary}\n`);
  return `Viaduct, a SIP proxy that makes browsers and telephones talk.\n\n${lines.join('')}`;
}

function unknown(name: string): number {
  process.stderr.write(`There is no command "${name}".\n\n${overview()}`);
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
  return args.includes('--help') || args.includes('-h') ? help([plain]) : command.run(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  if (thrown instanceof UsageError) {
    process.stderr.write(`${thrown.message}\n`);
    process.exit(2);
  }
  const failure = failureOf(thrown);
  process.stderr.write(`${failure.message}\n${failure.row.nextStep}\n`);
  process.exitCode = 1;
}
