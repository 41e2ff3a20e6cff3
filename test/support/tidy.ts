/**
 * The rules of the tree as functions of a file's path and text: the import table of the layers, and words and names that
 * do not belong. `test/tidy.test.ts` runs them over every source; it also shows that each of them bites.
 */
import { posix } from 'node:path';

export interface Source {
  /** From the project folder, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface Import {
  readonly from: string;
  /** `import type`: gone when the program runs. */
  readonly typeOnly: boolean;
  readonly line: number;
}

interface Layer {
  readonly name: string;
  readonly folder: RegExp;
  /** Besides its own folder (what `folder` matched); paths from the project folder, and names of packages. */
  readonly may: readonly RegExp[];
  readonly mayTypes?: readonly RegExp[];
  /** No clock, chance, processes or waiting: values in, values out. */
  readonly pure?: true;
}

const l0 = /^src\/(message|sdp)\//;
const l1 = /^src\/transaction\//;
const l2 = /^src\/(proxy|registrar|presence|nat|media|auth|dialog|story)\//;
const errors = /^src\/errors[./]/;
const ports = /^src\/ports[./]/;
const node = /^node:/;

/** DESIGN §3. The first row whose folder matches holds. */
export const layers: readonly Layer[] = [
  { name: 'L0', folder: /^src\/message\//, may: [], pure: true },
  { name: 'L0', folder: /^src\/sdp\//, may: [/^src\/message\//], pure: true },
  { name: 'L1', folder: l1, may: [l0], pure: true },
  { name: 'L2', folder: l2, may: [l0, errors, /^node:crypto$/], mayTypes: [ports], pure: true },
  { name: 'L3', folder: /^src\/engine\//, may: [l0, l1, l2, errors, ports] },
  {
    name: 'L4',
    folder: /^src\/adapters\/([^/]+)\//,
    may: [l0, errors, ports, node, /^(pg|ws|bencode|fastify|pino|esbuild|jose|@fastify\/[\w-]+|@peculiar\/x509)$/],
    mayTypes: [/^src\/media\/commands\.ts$/, /^src\/engine\/operations\.ts$/],
  },
  { name: 'L4', folder: /^src\/adapters\/[^/]+$/, may: [errors, ports, node, /^pino$/] },
  {
    name: 'L5 REST',
    folder: /^routes\/http\//,
    may: [/^src\/engine\/operations\.ts$/, errors, /^typebox$/],
    mayTypes: [/^fastify$/, /^@fastify\/type-provider-typebox$/],
  },
  { name: 'L5', folder: /^routes\//, may: [/^src\/engine\/api\.ts$/] },
  { name: 'settings', folder: /^src\/config[./]/, may: [/^src\/config[./]/, errors, node], mayTypes: [ports] },
  { name: 'errors', folder: errors, may: [errors] },
  { name: 'ports', folder: ports, may: [], mayTypes: [ports, /^src\/media\/commands\.ts$/, l0] },
];

const longestFile = 400;
const code = /^(src|routes|test|web|bench|tools)\/.*\.(tsx?|mjs|js)$/;
const badName = /(^|[-./])(utils?|helpers?|managers?|handlers?)([-./]|$)|(^|\/)index\.(tsx?|mjs|js)$/;

interface WordRule {
  readonly where: RegExp;
  readonly except?: RegExp;
  readonly word: RegExp;
  readonly rule: string;
  /** Look into comments, too. */
  readonly comments?: true;
}

const tidyItself = /^test\/(support\/tidy|tidy\.test)\.ts$/;

const wordRules: readonly WordRule[] = [
  {
    where: code,
    word: /(:\s*|\bas\s+|[<|&]\s*|<[^<>]*,\s*)any(\[\])*\s*[;,)=>|&{}]|(\bas|:)\s+any$/,
    rule: 'no `any`',
  },
  { where: code, word: /\bas\s+(unknown|never)\s+as\b/, rule: 'no cast that silences the compiler' },
  { where: code, word: /@ts-(ignore|expect-error|nocheck)|biome-ignore/, rule: 'no silenced check', comments: true },
  {
    where: /^web\//,
    word: /\b(inner|outer)HTML\b|insertAdjacentHTML|dangerouslySetInnerHTML|document\.write\b/,
    rule: 'text from the network is text: no HTML is made of strings',
  },
  {
    where: /^(src|routes)\//,
    word: /\bconsole\.\w+\(/,
    rule: 'no console: use the log, or write to the standard output',
  },
  {
    where: /\.test\.ts$/,
    word: /\b(test|describe|it|suite)\.(skip|only|todo)\b|[{,]\s*(skip|only|todo):/,
    rule: 'no test is skipped, and none runs alone',
  },
  {
    where: /^src\/(message|sdp|transaction|proxy|registrar|presence|nat|media|auth|dialog|story|engine)\//,
    except: /^src\/message\/ascii\.ts$/,
    word: /\.(trim|trimStart|trimEnd|toLowerCase)\(\)/,
    rule: 'bytes are latin1 here: use src/message/ascii.ts',
  },
];

const impure =
  /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|setTimeout|setInterval|setImmediate|process\.\w)/;
const waiting = /\basync\s+(function|\(|\w+\s*=>)|\bawait\b|\bPromise\b/;
// Folders of one machine: a home, a work folder.
const machinePath = /(^|[\s"'`(=])(\/root\/|\/home\/[a-z]|\/Users\/[A-Za-z]|\/work\/|\/mnt\/)/;

/** Everything that is wrong with the file, each as `path:line: rule`. */
export function untidy(source: Source): readonly string[] {
  const at = (line: number, rule: string) => `${source.path}:${line}: ${rule}`;
  return [
    ...nameAndSize(source).map((rule) => at(1, rule)),
    ...wordsOf(source).map(({ line, rule }) => at(line, rule)),
    ...importsOf(source).flatMap((one) => [...wrongImport(source.path, one)].map((rule) => at(one.line, rule))),
  ];
}

function nameAndSize({ path, text }: Source): readonly string[] {
  const lines = text.split('\n').length - 1;
  const tooLong = /^(src|routes)\//.test(path) && lines > longestFile;
  return [
    ...(code.test(path) && badName.test(path) ? ['a name that says nothing: name the file for what is in it'] : []),
    ...(tooLong ? [`${lines} lines, more than ${longestFile}`] : []),
  ];
}

function wordsOf({ path, text }: Source): readonly { readonly line: number; readonly rule: string }[] {
  if (tidyItself.test(path)) return [];
  const layer = layerOf(path);
  const words: readonly WordRule[] = [
    ...wordRules.filter((rule) => rule.where.test(path) && !rule.except?.test(path)),
    ...(layer?.pure || layer?.name === 'L3'
      ? [{ where: code, word: impure, rule: `no clock, chance or process in ${layer.name}: they are ports` }]
      : []),
    ...(layer?.pure ? [{ where: code, word: waiting, rule: `nothing waits in ${layer.name}` }] : []),
    { where: code, word: machinePath, rule: 'no path of one machine', comments: true },
  ];
  return text.split('\n').flatMap((whole, index) => {
    const bare = withoutComment(whole);
    return words
      .filter(({ word, comments }) => word.test(comments ? whole : bare))
      .map(({ rule }) => ({ line: index + 1, rule }));
  });
}

// Comment lines begin with `//`, `/*` or `*` here (the formatter sees to it), others have ` // ` before the comment.
function withoutComment(line: string): string {
  return /^\s*(\/\/|\/\*|\*)/.test(line) ? '' : line.replace(/\s\/\/ .*$/, '');
}

export function importsOf({ path, text }: Source): readonly Import[] {
  if (!code.test(path)) return [];
  const found = text.matchAll(
    /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm,
  );
  return [...found].map((match) => ({
    from: target(path, match[2] ?? match[3] ?? ''),
    typeOnly: match[1] !== undefined,
    line: text.slice(0, match.index + match[0].length).split('\n').length,
  }));
}

function target(path: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier;
}

function* wrongImport(path: string, { from, typeOnly }: Import): Generator<string> {
  const layer = layerOf(path);
  if (layer === undefined) return;
  const own = layer.folder.exec(path)?.[0];
  const allowed = [...layer.may, ...(typeOnly ? (layer.mayTypes ?? []) : [])];
  const siblings = own?.endsWith('/') === true && from.startsWith(own);
  if (siblings || allowed.some((pattern) => pattern.test(from))) return;
  const asType = layer.mayTypes?.some((pattern) => pattern.test(from)) ? ' (only as `import type`)' : '';
  yield `${layer.name} may not import ${from}${asType}: see the table of layers in src/README.md`;
}

function layerOf(path: string): Layer | undefined {
  return layers.find((layer) => layer.folder.test(path));
}
