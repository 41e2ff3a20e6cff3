/**
 * `@peculiar/x509`, loaded when a certificate has to be made and not before (it takes a tenth of a second).
 *
 * It wants a Reflect metadata polyfill to be there, for its dependency injection; these three functions are what is
 * used of one. Nothing else in Viaduct uses decorators.
 */

const metadata = new WeakMap<object, Map<unknown, unknown>>();

function of(target: object): Map<unknown, unknown> {
  const known = metadata.get(target) ?? new Map<unknown, unknown>();
  metadata.set(target, known);
  return known;
}

const polyfill = {
  getMetadata: (key: unknown, target: object) => of(target).get(key),
  getOwnMetadata: (key: unknown, target: object) => of(target).get(key),
  defineMetadata: (key: unknown, value: unknown, target: object) => {
    of(target).set(key, value);
  },
};

export async function certificateLibrary() {
  if (!('getMetadata' in Reflect)) Object.assign(Reflect, polyfill);
  return await import('@peculiar/x509');
}
