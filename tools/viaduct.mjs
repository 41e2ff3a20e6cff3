#!/usr/bin/env node
/** `npx viaduct`: the command line of src/cli/, through the bootstrap. */
import { main } from './bootstrap.mjs';

await main(['cli', ...process.argv.slice(2)]);
