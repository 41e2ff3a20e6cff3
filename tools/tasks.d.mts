/** What tests and benches ask of tasks.mjs, which Node runs before there is a TypeScript. */
export const tasks: { readonly start: { readonly run: readonly string[] } };
