/** DESIGN §1: the doctor sees by a file whether a real rtpengine records, and leaves none behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openMediaRelay } from '../../../src/adapters/rtpengine/relay.ts';
import { recordingFindings } from '../../../src/doctor/recording.ts';
import { realClock, realRandom, silentLog, startTestRtpengine } from '../../support/rtpengine.ts';

async function look(told: boolean): Promise<{ readonly found: string; readonly files: readonly string[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'viaduct-recordings-'));
  const rtpengine = await startTestRtpengine(told ? { recordingDir: dir } : {});
  const media = openMediaRelay({ nodes: [rtpengine.node], clock: realClock, random: realRandom, log: silentLog });
  try {
    await media.ready;
    const about = { media, random: realRandom, mark: 'n1', recordingDir: dir, recordsAll: false, ownRtpengine: true };
    const found = (await recordingFindings(about)).map(({ level, says }) => `${level}: ${says}`).join('\n');
    await delay(200);
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.equal(await rtpengine.portsUsed(), 0);
    return { found, files: files.map(({ name }) => name) };
  } finally {
    await media.shutdown();
    await rtpengine.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

test('one that has the folder writes there: all is well, and the files of the test call are gone', async () => {
  const { found, files } = await look(true);
  assert.match(found, /ok: udp:127\.\S+ records into /);
  assert.deepEqual(files, []);
});

test('one without --recording-dir says ok, and is found out', async () => {
  const { found } = await look(false);
  assert.match(found, /warning: udp:127\.\S+ says ok to a recording, and writes nothing into/);
});
