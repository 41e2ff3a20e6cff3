/** What was asked for, or 404 with these words. */
export function found<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw Object.assign(new Error(otherwise), { statusCode: 404 });
  return value;
}

/** It cannot be done as things are. */
export function conflict(why: string): Error {
  return Object.assign(new Error(why), { statusCode: 409 });
}

/** What a schema cannot say. */
export function badRequest(why: string): Error {
  return Object.assign(new Error(why), { statusCode: 400 });
}
