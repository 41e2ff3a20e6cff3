/**
 * The running Viaduct, asked over its REST API: found by `run.json` in DATA_DIR, or by `--url`; API_TOKEN as in the
 * settings.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings, type Settings } from '../config.ts';
import { type ErrorCode, Failure } from '../errors.ts';
import { UsageError } from './usage-error.ts';

export interface Running {
  /** `undefined` for 404. */
  get(path: string): Promise<unknown>;
  /** `undefined` for 404. Throws `code` with the words of the answer when it cannot be done (422), `api-refused` when we may not. */
  post(path: string, code: ErrorCode, body?: object): Promise<unknown>;
  /** Throws `api-refused` with the words of the answer when it is not done. */
  put(path: string, body: object): Promise<unknown>;
  /** The same, of what answers nothing. */
  patch(path: string, body: object): Promise<void>;
  /** `false` for 404. */
  remove(path: string): Promise<boolean>;
  /** Server-sent events until the other side ends. */
  events(): AsyncGenerator<unknown>;
}

export function findRunning(url: string | undefined): Running {
  const settings = readSettings(process.env);
  if (url !== undefined && !/^https?:\/\//.test(url)) throw new UsageError(`--url ${url}: write http://HOST:PORT.`);
  return askRunning(url ?? urlOf(settings), settings.apiToken);
}

export function askRunning(base: string, token: string | undefined): Running {
  const ask = async (path: string, method = 'GET', json?: object): Promise<Response> => {
    const login = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = json === undefined ? {} : { body: JSON.stringify(json) };
    const headers = json === undefined ? login : { ...login, 'content-type': 'application/json' };
    try {
      return await fetch(new URL(path, base), { headers, method, ...sent });
    } catch {
      throw new Failure('not-running', base);
    }
  };
  return {
    get: async (path) => {
      const response = await ask(path);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Failure('api-refused', await problemText(response));
      return await response.json();
    },
    post: async (path, code, body) => {
      const response = await ask(path, 'POST', body);
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Failure(response.status === 422 ? code : 'api-refused', await problemText(response));
      return await response.json();
    },
    put: async (path, body) => {
      const response = await ask(path, 'PUT', body);
      if (!response.ok) throw new Failure('api-refused', await problemText(response));
      return await response.json();
    },
    patch: async (path, body) => {
      const response = await ask(path, 'PATCH', body);
      if (!response.ok) throw new Failure('api-refused', await problemText(response));
    },
    remove: async (path) => {
      const response = await ask(path, 'DELETE');
      if (!response.ok && response.status !== 404) throw new Failure('api-refused', await problemText(response));
      return response.ok;
    },
    events: async function* () {
      const response = await ask('/api/v1/events');
      if (!response.ok || response.body === null) throw new Failure('api-refused', `${response.status}`);
      yield* dataOf(response.body.pipeThrough(new TextDecoderStream()));
    },
  };
}

/** `title` and `detail` of an RFC 9457 problem, else what it says. */
async function problemText(response: Response): Promise<string> {
  const text = await response.text();
  const words = ['title', 'detail'].map((name) => new RegExp(`"${name}":("(?:[^"\\\\]|\\\\.)*")`).exec(text)?.[1]);
  const shown = words.flatMap((word) => (word === undefined ? [] : [String(JSON.parse(word))]));
  return `${response.status}: ${shown.length === 0 ? text : shown.join(' ')}`;
}

async function* dataOf(chunks: AsyncIterable<string>): AsyncGenerator<unknown> {
  let waiting = '';
  for await (const chunk of chunks) {
    const events = (waiting + chunk).split('\n\n');
    waiting = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data !== undefined) yield JSON.parse(data);
    }
  }
}

function urlOf({ dataDir }: Settings): string {
  try {
    const run: unknown = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'));
    const http = typeof run === 'object' && run !== null && 'http' in run ? run.http : undefined;
    if (typeof http === 'object' && http !== null && 'host' in http && 'port' in http) {
      const host = http.host === '0.0.0.0' || http.host === '::' ? '127.0.0.1' : String(http.host);
      return `http://${host.includes(':') ? `[${host}]` : host}:${http.port}`;
    }
  } catch {
    // No such file, or half a one: nothing runs here.
  }
  throw new Failure('not-running', `There is no run.json in ${dataDir}.`);
}
