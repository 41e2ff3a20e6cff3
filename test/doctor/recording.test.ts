/** What the doctor finds of RECORDING_DIR; how a real rtpengine records is in test/adapters/rtpengine. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { recordingFindings } from '../../src/doctor/recording.ts';
import { createClock } from '../support/clock.ts';
import { createMediaRelayFake, type MediaSwitches } from '../support/media-relay-fake.ts';
import { realRandom } from '../support/rtpengine.ts';

const folder = mkdtempSync(join(tmpdir(), 'viaduct-recordings-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Look {
  readonly recordingDir?: string;
  readonly recordsAll?: boolean;
  readonly ownRtpengine?: boolean;
  readonly address?: string;
  readonly media?: Partial<MediaSwitches>;
}

async function look({ recordingDir, recordsAll = false, ownRtpengine = false, address, media = {} }: Look) {
  const relay = createMediaRelayFake(createClock(), media);
  const nodes = () => relay.nodes().map((node) => ({ ...node, address: address ?? node.address }));
  const found = await recordingFindings({
    ...{ media: { ...relay, nodes }, random: realRandom, mark: 'n1' },
    ...{ recordingDir, recordsAll, ownRtpengine },
  });
  assert.deepEqual(relay.calls(), [], 'law 3: a test call leaves nothing behind');
  for (const { level, cure } of found) assert.ok(level === 'ok' || cure.length > 5, 'each has its cure');
  return found.map(({ level, says }) => `${level}: ${says}`).join('\n');
}

test('without RECORDING_DIR nothing is recorded: well, unless all calls should be', async () => {
  assert.match(await look({}), /^ok: RECORDING_DIR is not set/);
  assert.match(await look({ recordsAll: true }), /^error: RECORD_CALLS=all, and RECORDING_DIR is not set/);
});

test('a folder that is not there, or is a file: an error for our own rtpengine, a hint for one elsewhere', async () => {
  const missing = join(folder, 'missing');
  assert.match(await look({ recordingDir: missing, ownRtpengine: true }), /^error: .*missing does not exist\.$/);
  const there = await look({ recordingDir: missing, address: 'udp:10.0.0.5:22222' });
  assert.match(
    there,
    /^notice: .*missing does not exist on this machine\.\nnotice: Whether udp:10\.0\.0\.5:22222 records/,
  );
  const file = join(folder, 'file');
  writeFileSync(file, '');
  assert.match(await look({ recordingDir: file, ownRtpengine: true }), /^error: .*file is no folder\.$/);
});

test('free space is said', async () => {
  assert.match(await look({ recordingDir: folder, address: 'udp:10.0.0.5:22222' }), /has \d+\.\d GiB free/);
});

test('an rtpengine on this machine that says ok and writes nothing', async () => {
  const found = await look({ recordingDir: folder, address: 'udp:127.0.0.1:22222' });
  assert.match(found, /warning: udp:127\.0\.0\.1:22222 says ok to a recording, and writes nothing into RECORDING_DIR=/);
});

test('one that does not answer cannot be judged', async () => {
  const silent = { refuse: () => 'media-timeout' as const };
  const found = await look({ recordingDir: folder, address: 'udp:127.0.0.1:22222', media: silent });
  assert.match(found, /notice: Whether udp:127\.0\.0\.1:22222 records/);
});
