/** What was asked for, or 404 with these words. */
export function found<T>(value: T | undefined, otherwise: string): T {
  if (value === undefined) throw Object.assign(new Error(otherwise), { statusCode: 404 });
  return value;
}
