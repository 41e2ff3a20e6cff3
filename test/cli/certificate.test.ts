import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { parseTlsCfg } from '../../src/adapters/network/tls-cfg.ts';
import { certificateCommand } from '../../src/cli/certificate.ts';

const nowMs = Date.now();
const dayMs = 86_400_000;

async function folder(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'viaduct-certificate-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const run = async (args: string, atMs = nowMs) => {
    let output = '';
    let errors = '';
    const status = await certificateCommand([...args.split(' '), '--dir', dir], {
      nowMs: atMs,
      write: (text) => {
        output += text;
      },
      writeError: (text) => {
        errors += text;
      },
    });
    return { status, output, errors };
  };
  const read = (name: string) => readFile(join(dir, name), 'latin1');
  return { dir, run, read };
}

test('viaduct certificate server: makes the authority too, and its certificate proves each name', async (t) => {
  const { dir, run, read } = await folder(t);
  const { status, output, errors } = await run('server sip.example.com 127.0.0.1');
  assert.deepEqual([status, errors], [0, '']);
  assert.match(output, /Wrote .*\/ca\.pem and its key: CN=Viaduct CA \d{4}-\d\d-\d\d/);
  assert.match(output, /\[server:any\]\nserver_name = sip\.example\.com\ncertificate = \/.*\/sip\.example\.com\.pem\n/);
  for (const [name, mode] of [
    ['ca.pem', 0o644],
    ['ca-key.pem', 0o600],
    ['sip.example.com.pem', 0o644],
    ['sip.example.com-key.pem', 0o600],
  ] as const) {
    assert.equal((await stat(join(dir, name))).mode & 0o777, mode, name);
  }
  const server = createServer({ cert: await read('sip.example.com.pem'), key: await read('sip.example.com-key.pem') });
  t.after(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(typeof bound === 'object' && bound !== null);
  for (const servername of ['sip.example.com', '']) {
    const socket = connect({ host: '127.0.0.1', port: bound.port, ca: await read('ca.pem'), servername });
    await once(socket, 'secureConnect');
    socket.destroy();
  }
});

test('viaduct certificate server *.example.com: a section that tls.cfg takes, and a file name without a star', async (t) => {
  const { dir, run } = await folder(t);
  const { output } = await run('server *.example.com');
  const [, section = ''] = output.split('In tls.cfg:\n\n');
  const text = section.replace(/\nThen:.*\n$/, '');
  assert.equal(parseTlsCfg(text).sections[0]?.values.get('certificate')?.text, join(dir, '_.example.com.pem'));
});

test('viaduct certificate client and revoke: each of the authority, and a list that grows', async (t) => {
  const { dir, run, read } = await folder(t);
  await run('ca');
  const made = await run('client trunk-1');
  assert.equal(made.status, 0);
  assert.match(made.output, /require_certificate = yes\nca_list = \/.*\/ca\.pem\n/);
  await run('client trunk-2');
  const shown = await run(`show ${join(dir, 'trunk-1.pem')}`);
  assert.match(shown.output, /^CN=trunk-1 \(trunk-1\)\n {2}issued by CN=Viaduct CA/);
  const first = await run(`revoke ${join(dir, 'trunk-1.pem')}`);
  assert.match(first.output, /CN=trunk-1 .* is withdrawn[\s\S]*crl = \/.*\/crl\.pem/);
  const length = (await read('crl.pem')).length;
  assert.equal((await run(`revoke ${join(dir, 'trunk-2.pem')}`)).status, 0);
  assert.ok((await read('crl.pem')).length > length);
  assert.equal((await run(`revoke ${join(dir, 'trunk-1.pem')}`)).status, 0, 'twice does no harm');
});

test('viaduct certificate show: what is wrong, with exit code 1 for what has run out', async (t) => {
  const { dir, run } = await folder(t);
  await run('server sip.example.com --days 20');
  const path = join(dir, 'sip.example.com.pem');
  assert.equal((await run(`show ${path}`)).status, 0);
  const soon = await run(`show ${path}`, nowMs + 10 * dayMs);
  assert.match(soon.output, /warning: the certificate CN=sip\.example\.com .* runs out in 8 days/);
  const late = await run(`show ${path}`, nowMs + 20 * dayMs);
  assert.equal(late.status, 1);
  assert.match(late.output, /error: .* has run out/);
});

test('viaduct certificate: nothing is written over, unless it is asked for', async (t) => {
  const { dir, run, read } = await folder(t);
  await run('server sip.example.com');
  const before = await read('sip.example.com.pem');
  const again = await run('server sip.example.com');
  assert.deepEqual(again, {
    status: 1,
    output: '',
    errors: `${join(dir, 'sip.example.com.pem')} is there already; --force makes it anew.\n`,
  });
  assert.equal(await read('sip.example.com.pem'), before);
  assert.equal((await run('ca')).status, 1);
  assert.equal((await run('server sip.example.com --force')).status, 0);
  assert.notEqual(await read('sip.example.com.pem'), before);
});

for (const [args, status, words] of [
  ['server', 2, 'For which domain or address? The name is missing.'],
  ['server http://x', 2, '"http://x" is neither a domain nor an address'],
  ['client', 2, 'Whose certificate? The name is missing.'],
  ['client ../x', 2, '"../x" cannot be a name'],
  ['client a b', 2, 'What does "b" mean here?'],
  ['revoke nowhere.pem', 1, 'has no ca.pem and ca-key.pem; name it with --dir.'],
  ['show nowhere.pem', 1, 'nowhere.pem cannot be read.'],
  ['ca --days 0', 2, '--days 0: write a number of days'],
  ['fetch', 2, 'There is no command "certificate fetch".'],
  ['ca --what', 2, '--what'],
] as const) {
  test(`viaduct certificate ${args}: exit code ${status}, and why`, async (t) => {
    const { run } = await folder(t);
    const result = await run(args);
    assert.equal(result.status, status);
    assert.ok(result.errors.includes(words), result.errors);
    assert.equal(result.errors.includes('npx viaduct help certificate'), status === 2);
  });
}

test('viaduct certificate: a file without a certificate and one of another authority are refused by revoke', async (t) => {
  const { dir, run } = await folder(t);
  const other = await folder(t);
  await run('ca');
  await other.run('client trunk-1');
  await writeFile(join(dir, 'text.pem'), 'no certificate');
  assert.match((await run(`revoke ${join(dir, 'text.pem')}`)).errors, /has no certificate in PEM/);
  assert.match((await run(`revoke ${join(other.dir, 'trunk-1.pem')}`)).errors, /is not of the authority in/);
});
