/** What tests and benches ask of tasks.mjs, which Node runs before there is a TypeScript. */
export const tasks: {
  readonly start: { readonly run: readonly string[] };
  /** Test files that begin so are not among its tests. */
  readonly check: { readonly tests: { readonly except: readonly string[] } };
};
