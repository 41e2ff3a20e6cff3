import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { newProject } from './project.ts';

describe('installation', () => {
  test('happens once, without package scripts', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', 'console.log("here", process.argv[2]);');
    assert.equal((await project.run(['script.mjs', 'one']).ended()).code, 0);
    const second = project.run(['script.mjs', 'two']);
    assert.equal((await second.ended()).code, 0);
    assert.match(second.output(), /^here two\n$/);
    assert.equal(project.npmCalls().length, 2);
    assert.match(project.npmCalls()[0] ?? '', /^ci .*--ignore-scripts/);
  });

  test('happens once for two commands that start together: the second waits', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', 'console.log("here");');
    const both = [project.run(['script.mjs']), project.run(['script.mjs'])];
    for (const one of both) assert.equal((await one.ended()).code, 0, one.output());
    assert.equal(project.npmCalls().length, 2);
  });

  test('happens again when package-lock.json has changed', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', '');
    await project.run(['script.mjs']).ended();
    project.write('package-lock.json', '{ }');
    assert.equal((await project.run(['script.mjs']).ended()).code, 0);
    assert.equal(project.npmCalls().length, 4);
  });

  test('happens again after a kill in the middle of it, when the npm that was left over has ended', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', '');
    const killed = project.run(['script.mjs']);
    while (project.npmCalls().length === 0) await delay(20);
    killed.signal('SIGKILL');
    await killed.ended();
    assert.equal((await project.run(['script.mjs']).ended()).code, 0);
    assert.deepEqual(
      project.npmCalls().map((call) => call.split(' ')[0]),
      ['ci', 'done', 'ci', 'done'],
    );
  });

  test('does not happen through a link: npm would empty the folder behind it', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', '');
    mkdirSync(join(project.folder, 'shared'));
    project.write('shared/package', 'of somebody else');
    symlinkSync('shared', join(project.folder, 'node_modules'));
    const run = project.run(['script.mjs']);
    assert.equal((await run.ended()).code, 1);
    assert.match(run.output(), /node_modules is a link/);
    assert.ok(existsSync(join(project.folder, 'shared', 'package')));
  });

  test('without a registry, it says so and ends with 1', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', '');
    const run = project.run(['script.mjs'], { NPM_SAYS: 'npm error code ENOTFOUND' });
    assert.equal((await run.ended()).code, 1);
    assert.match(run.output(), /the npm registry cannot be reached/);
    assert.match(run.output(), /npm error code ENOTFOUND/);
  });
});

test('an optional package that npm silently left out is named, and tried again the next time', async (t) => {
  const project = newProject(t);
  project.write('script.mjs', '');
  const optional = { optional: true, os: [process.platform], cpu: [process.arch] };
  const packages = { '': {}, 'node_modules/engine': optional, 'node_modules/other': { ...optional, os: ['none'] } };
  project.write('package-lock.json', JSON.stringify({ packages }));
  const run = project.run(['script.mjs']);
  assert.equal((await run.ended()).code, 1);
  assert.match(run.output(), /cannot install the npm packages: engine could not be fetched/);
  await project.run(['script.mjs']).ended();
  assert.equal(project.npmCalls().length, 4);
});

describe('Node', () => {
  const pretend = (version: string) =>
    `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;

  for (const [version, fetched] of [
    ['18.20.4', true],
    ['20.20.2', true],
    ['22.17.1', true],
    ['22.18.0', false],
    ['23.5.0', true],
    ['23.6.0', false],
    ['24.0.0', false],
  ] as const) {
    test(`${version} ${fetched ? 'is too old: the pinned one is fetched and used' : 'is used'}`, async (t) => {
      const project = newProject(t);
      project.write('script.mjs', 'console.log(process.argv0);');
      const run = project.run(['script.mjs'], { NODE_OPTIONS: `--import "${pretend(version)}"` });
      assert.equal((await run.ended()).code, 0, run.output());
      assert.equal(
        project.npmCalls().some((call) => call.includes('tools/node')),
        fetched,
      );
      assert.equal(run.output().includes(`${project.folder}/tools/node/node_modules/`), fetched, run.output());
    });
  }
});

describe('the program that is run', () => {
  const patient = `
    let count = 0;
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => { count += 1; console.log('got', name, count); });
    setTimeout(() => process.exit(3), 1500);
    console.log('ready');`;

  test('gives its exit code', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', 'process.exit(7);');
    assert.equal((await project.run(['script.mjs']).ended()).code, 7);
  });

  test('hears of a Ctrl-C once, though npm passes it on a second time, and is waited for', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', patient);
    const run = project.run(['script.mjs']);
    await run.line(/ready/);
    run.signal('SIGINT');
    await delay(50);
    run.signal('SIGINT');
    assert.equal((await run.ended()).code, 3);
    assert.match(run.output(), /got SIGINT 1/);
    assert.doesNotMatch(run.output(), /got SIGINT 2/);
  });

  test('is asked to end when the terminal is closed', async (t) => {
    const project = newProject(t);
    project.write('script.mjs', patient);
    const run = project.run(['script.mjs']);
    await run.line(/ready/);
    run.signal('SIGHUP');
    await run.line(/got SIGTERM 1/);
    assert.equal((await run.ended()).code, 3);
  });

  test('that is neither a task nor a file is named', async (t) => {
    const run = newProject(t).run(['nothing']);
    assert.equal((await run.ended()).code, 1);
    assert.match(run.output(), /there is no task and no file "nothing"/);
  });
});

describe('Debian packages are installed without starting services', () => {
  const withApt = (t: Parameters<typeof newProject>[0], aptGet: string) => {
    const project = newProject(t);
    project.program('bin/apt-get', `#!/bin/sh\n${aptGet}\n`);
    project.write('print.mjs', "import { installScript } from './tools/apt.mjs'; process.stdout.write(installScript);");
    const script = spawnSync(process.execPath, ['print.mjs'], { cwd: project.folder, encoding: 'utf8' }).stdout;
    const policy = join(project.folder, 'policy-rc.d');
    const install = () =>
      spawnSync('sh', ['-c', script.replace('/run/', `${project.folder}/`), 'sh', policy, 'some', 'packages'], {
        cwd: project.folder,
        env: { PATH: `${project.folder}/bin:${process.env.PATH}` },
        encoding: 'utf8',
      });
    return { ...project, policy, install };
  };

  test('policy-rc.d forbids it meanwhile, and is gone afterwards', (t) => {
    const { folder, policy, install } = withApt(t, 'echo "$@" >> calls; ./policy-rc.d; echo "policy $?" >> calls');
    assert.equal(install().status, 0);
    assert.match(
      readFileSync(join(folder, 'calls'), 'utf8'),
      /update\npolicy 101\n.*install -y --no-install-recommends some packages\npolicy 101\n$/,
    );
    assert.equal(existsSync(policy), false);
  });

  test('one that was there before is put back, also when apt-get fails or an earlier run was killed', (t) => {
    const { policy, install, program } = withApt(t, 'exit 100');
    program('policy-rc.d', '#!/bin/sh\nexit 104\n');
    assert.equal(install().status, 100);
    assert.equal(readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 104\n');
    program('policy-rc.d.before-viaduct', '#!/bin/sh\nexit 104\n');
    program('policy-rc.d', '#!/bin/sh\n# made by viaduct\nexit 101\n');
    install();
    assert.equal(readFileSync(policy, 'utf8'), '#!/bin/sh\nexit 104\n');
  });
});
