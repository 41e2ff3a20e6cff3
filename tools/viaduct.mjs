#!/usr/bin/env node
/** `npx viaduct`: the command line of src/cli/, through the bootstrap. */
import { main } from './bootstrap.mjs';

const args = process.argv.slice(2);
// `start` is more than a command: it installs rtpengine, as `npm start` does.
await main(args[0] === 'start' && args.length === 1 ? args : ['cli', ...args]);
