/**
 * What stands between `npm start` and the program: installs what is missing, finds a Node that is new enough, and runs
 * a task of `tasks.mjs`, or the given script, with it. Plain JavaScript, for Node 18 and newer.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { needPackages, wantPackages } from './apt.mjs';
import { foreground } from './child.mjs';
import { installPackages, projectDir } from './install.mjs';
import { environmentWith, findNode } from './node.mjs';
import { Stop, say } from './say.mjs';
import { tasks } from './tasks.mjs';
import { testArguments } from './test-files.mjs';

const withoutMedia = 'Viaduct runs, but refuses calls that need media until rtpengine is there.';

/** Runs the task or script named first; resolves with the exit code. */
export async function run([name, ...args]) {
  if (name === undefined) throw new Stop(`which task? One of ${Object.keys(tasks).join(', ')}, or a script`);
  const task = tasks[name] ?? scriptTask(name);
  const node = await findNode();
  await installPackages(projectDir, 'the npm packages');
  await needPackages(task.needs ?? []);
  await wantPackages(task.wants ?? [], withoutMedia);
  return await (task.run ? runTask : runTests)(task, node, args);
}

function scriptTask(name) {
  if (!existsSync(join(projectDir, name))) throw new Stop(`there is no task and no file "${name}"`);
  return { run: [name] };
}

async function runTask(task, node, args) {
  const options = { env: environmentWith(node), cwd: task.keepsFolder ? process.cwd() : projectDir };
  const program = task.keepsFolder ? task.run.map((path) => join(projectDir, path)) : task.run;
  return await foreground(node, [...program, ...args], options);
}

/** All checks and then the tests, whatever fails, so that one run shows everything; named tests run alone. */
async function runTests({ checks = [], tests }, node, args) {
  const options = { env: environmentWith(node), cwd: projectDir };
  const failed = [];
  for (const [name, ...program] of args.length > 0 ? [] : checks) {
    if ((await foreground(node, program, options)) !== 0) failed.push(name);
  }
  // The whole group: what the runner started are tests, and nobody else would end them.
  const code = tests && (await foreground(node, testArguments(tests, args), { ...options, wholeGroup: true }));
  if (failed.length > 0) say(`failed: ${failed.join(', ')} (see above)`);
  return code || (failed.length > 0 ? 1 : 0);
}

/** Runs, says what is wrong, and leaves with the right exit code. */
export async function main(args) {
  try {
    process.exitCode = await run(args);
  } catch (error) {
    say(error instanceof Stop ? error.message : error.stack);
    process.exitCode = 1;
  }
}
