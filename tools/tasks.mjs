/**
 * What each npm script needs and runs, one row each. `run` and each of `checks` are arguments of Node (a check begins
 * with its name); `needs` and `wants` are Debian packages, without which a task stops or goes on. The command line may
 * name other tests than those of `folder`: `npm test -- test/message`.
 */
const tsc = ['node_modules/typescript/bin/tsc', '--noEmit', '-p'];
const biome = ['node_modules/@biomejs/biome/bin/biome'];
const checks = [
  ['types', ...tsc, '.'],
  ['types of the pages', ...tsc, 'web'],
  ['lint and format', ...biome, 'check', '--error-on-warnings'],
];
const tests = [
  '--import=./tools/leak-guard.mjs',
  '--test',
  '--test-reporter=./tools/reporter.mjs',
  '--test-timeout=120000',
];
const services = ['rtpengine-daemon', 'sip-tester', 'postgresql'];

/**
 * Of what is allocated 8 MiB are looked through at a time: with the default of four times as much a pause is 20 ms long,
 * and in a busy second no call is answered sooner. Also in docker/viaduct.sh and systemd/viaduct.service.
 */
const shortPauses = '--max-semi-space-size=8';

/** Tests of another kind, which have a task of their own. */
const apart = ['test/browser/', 'test/docker/', 'test/versions/'];
/** Tests that start other processes than the PostgreSQL that comes with the packages. */
const withServices = [
  'test/e2e/',
  'test/tools/',
  'test/adapters/postgres',
  'test/adapters/rtpengine',
  'test/doctor/before-start.test.ts',
  'test/media/golden.test.ts',
  'test/media/query.test.ts',
  'test/support/sipp.test.ts',
];

export const tasks = {
  start: { wants: ['rtpengine-daemon'], run: [shortPauses, 'src/main.ts'] },
  dev: { wants: ['rtpengine-daemon'], run: [shortPauses, '--watch', '--watch-preserve-output', 'src/main.ts'] },
  cli: { run: ['src/cli/main.ts'], keepsFolder: true },
  test: {
    needs: services,
    checks,
    // Two cores, and a third test file that waits for timers meanwhile.
    tests: { run: [...tests, '--test-concurrency=3'], folder: 'test', except: apart },
  },
  'test:browser': {
    needs: [...services, 'chromium', 'baresip-core'],
    // One at a time: each has a browser, a telephone, and tones to hear.
    tests: { run: [...tests, '--test-concurrency=1'], folder: 'test/browser', except: [] },
  },
  'test:docker': {
    needs: ['baresip-core'],
    // Building the images takes a minute or two.
    tests: { run: [...tests, '--test-timeout=900000'], folder: 'test/docker', except: [] },
  },
  // As root: two of the three rtpengines run by chroot.
  'test:versions': {
    needs: [...services, 'chromium', 'baresip-core', 'debootstrap'],
    // Three machines' worth of it on one.
    run: ['test/versions/run.ts', ...tests, '--test-timeout=600000'],
  },
  bench: { needs: services, run: ['bench/run.ts'] },
  soak: { needs: services, run: ['bench/soak.ts'] },
  // Until it is stopped, or a minute.
  fuzz: { run: ['test/fuzz/fuzz.ts'] },
  check: {
    checks,
    tests: { run: [...tests, '--test-concurrency=2'], folder: 'test', except: [...apart, ...withServices] },
  },
  lint: { run: [...biome, 'lint', '--error-on-warnings'] },
  format: { run: [...biome, 'check', '--write'] },
};
