/** Which methods an address has, so that a wrong one is answered 405 with `Allow` (RFC 9110 §15.5.6), and not "not found". */
import type { FastifyInstance } from 'fastify';

export interface Methods {
  /** Empty: there is nothing at this path. */
  of(path: string): readonly string[];
}

/** Before the routes: it sees those that come after it. */
export function collectMethods(app: FastifyInstance): Methods {
  const routes: { readonly methods: readonly string[]; readonly path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push({ methods: [method].flat(), path: patternOf(url) });
  });
  return {
    of: (path) =>
      [...new Set(routes.filter((route) => route.path.test(path)).flatMap(({ methods }) => methods))].sort(),
  };
}

/** `/calls/:id/ladder`; other characters of our routes mean themselves. */
function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/:\w+/g, '[^/]+')}/?$`);
}
