#!/usr/bin/env node
/**
 * Behind every npm script: a task of `tasks.mjs`, or a script, with the right Node and everything installed.
 *
 *     node tools/run.mjs start
 *     node tools/run.mjs bench/run.ts --seconds 30
 */
import { main } from './bootstrap.mjs';

await main(process.argv.slice(2));
