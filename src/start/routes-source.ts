/**
 * The routes, and how a running proxy gets their changed files: Node never loads a module twice, so each reload is a
 * version of its own, `routes/request.ts?version=2`, which its imports within `routes/` get as well. What they share
 * with the engine (`src/engine/api.ts`) stays one. Old versions stay in memory, some 100 kB each.
 *
 * Left out: `routes/http/`, the REST interface; that waits for a restart.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Routes } from '../engine/api.ts';
import { placeInRoutes } from '../engine/guarded-routes.ts';
import { Failure } from '../errors.ts';

export interface RoutesSource {
  /** Always the newest; what the engine is given once. */
  readonly routes: Routes;
  /** The changed files as routes; `undefined` when none has changed. Throws `routes-broken`. */
  fresh(): Promise<FreshRoutes | undefined>;
}

export interface FreshRoutes {
  readonly files: readonly string[];
  /** From now on they decide. */
  use(): void;
}

const ours = join(import.meta.dirname, '..', '..', 'routes');

export function createRoutesSource(first: Routes, folder = ours): RoutesSource {
  let current = first;
  let known = hashes(folder);
  let version = 1;
  versionImports(folder);
  return {
    routes: {
      request: (request, proxy) => current.request(request, proxy),
      branch: (branch, proxy) => current.branch(branch, proxy),
      reply: (reply, proxy) => current.reply(reply, proxy),
      failure: (request, best, proxy) => current.failure(request, best, proxy),
    },
    async fresh() {
      const now = hashes(folder);
      const names = [...new Set([...known.keys(), ...now.keys()])].sort();
      const files = names.filter((name) => known.get(name) !== now.get(name));
      if (files.length === 0) return undefined;
      version += 1;
      const loaded = await load(`${pathToFileURL(join(folder, 'routes.ts')).href}?version=${version}`);
      const use = (): void => {
        current = loaded;
        known = now;
      };
      return { files, use };
    },
  };
}

function hashes(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex');
  return new Map(names.map((name) => [name, hash(name)]));
}

/** A file of the routes that a versioned one imports has its version. */
function versionImports(folder: string): void {
  const prefix = `${pathToFileURL(folder).href}/`;
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const version = /\?version=\d+$/.exec(context.parentURL ?? '')?.[0];
      const within = resolved.url.startsWith(prefix) && !resolved.url.includes('?');
      return version === undefined || !within ? resolved : { ...resolved, url: `${resolved.url}${version}` };
    },
  });
}

async function load(url: string): Promise<Routes> {
  let loaded: unknown;
  try {
    loaded = await import(url);
  } catch (thrown) {
    throw new Failure('routes-broken', wordsOf(thrown));
  }
  const routes = typeof loaded === 'object' && loaded !== null && 'routes' in loaded ? loaded.routes : undefined;
  if (isRoutes(routes)) return routes;
  throw new Failure('routes-broken', 'routes/routes.ts exports no `routes` with request, branch, reply and failure.');
}

function isRoutes(value: unknown): value is Routes {
  if (typeof value !== 'object' || value === null) return false;
  const names = ['request', 'branch', 'reply', 'failure'];
  return names.every((name) => name in value && typeof Reflect.get(value, name) === 'function');
}

/** The file, the line and what is wrong with it, which stand above the calls in a stack. */
function wordsOf(thrown: unknown): string {
  const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  const [words = ''] = stack.split(/\n\s+at /, 1);
  // What fails while a file is being read says where in its calls only.
  const place = placeInRoutes(thrown);
  return place === undefined ? words : `${place}: ${words}`;
}
