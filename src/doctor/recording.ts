/**
 * Recordings: whether RECORDING_DIR can take any, and whether rtpengine writes there. 10.5 says ok to `start recording` where
 * it has no folder, and its `query` shows nothing of it: only the file tells. So a test call is recorded, its file looked for
 * and removed; of a node on another machine, whose folder is not here, that is said.
 */
import { constants } from 'node:fs';
import { access, readdir, rm, stat, statfs } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Finding } from '../engine/operations.ts';
import { deleteCommand } from '../media/delete-rules.ts';
import { offerProfile } from '../media/profiles.ts';
import { viaBranch } from '../media/via-branch.ts';
import type { MediaNode, MediaRelay, Random } from '../ports.ts';
import { finding } from './finding.ts';
import { canarySdp } from './relays.ts';

export interface RecordingChecked {
  readonly media: MediaRelay;
  readonly random: Random;
  readonly mark: string;
  /** RECORDING_DIR */
  readonly recordingDir: string | undefined;
  /** RECORD_CALLS is all. */
  readonly recordsAll: boolean;
  /** The rtpengine is a child of ours, with our rights. */
  readonly ownRtpengine: boolean;
}

const check = 'recording';
const leastBytes = 1024 ** 3;
const lookEveryMs = 50;
const looks = 10;

export async function recordingFindings(checked: RecordingChecked): Promise<readonly Finding[]> {
  const { recordingDir: dir, recordsAll, media, ownRtpengine } = checked;
  if (dir === undefined) return [withoutFolder(recordsAll)];
  const folder = await folderFindings(dir, ownRtpengine);
  const nodes = media.nodes().filter(({ state }) => state !== 'down');
  const seen = !folder.some(({ level }) => level === 'error') && (await isFolder(dir));
  const byNode = nodes.map((node) => (seen && isHere(node) ? nodeFinding(node, dir, checked) : elsewhere(node, dir)));
  return [...folder, ...(ownRtpengine && !seen ? [] : await Promise.all(byNode))];
}

function withoutFolder(recordsAll: boolean): Finding {
  if (!recordsAll) return finding(check, 'ok', 'RECORDING_DIR is not set: no call is recorded.', '');
  const words = 'RECORD_CALLS=all, and RECORDING_DIR is not set: no call is recorded.';
  return finding(
    check,
    'error',
    words,
    'Set RECORDING_DIR=/var/spool/rtpengine, or another folder that rtpengine may write to.',
  );
}

const isFolder = (dir: string): Promise<boolean> =>
  stat(dir).then(
    (found) => found.isDirectory(),
    () => false,
  );

const isHere = ({ address }: MediaNode): boolean => /^udp:(127\.|\[::1\])/.test(address);

function elsewhere({ address }: MediaNode, dir: string): Finding {
  const words = `Whether ${address} records into ${dir} cannot be seen from here: it says ok without a folder, too.`;
  const cure = `See that it runs with --recording-dir=${dir}; its log says "no spool directory configured" where it does not.`;
  return finding(check, 'notice', words, cure);
}

/** What our own rtpengine needs; of another one on this machine only what is not there at all. */
async function folderFindings(dir: string, ownRtpengine: boolean): Promise<readonly Finding[]> {
  const level = ownRtpengine ? 'error' : 'notice';
  const own = ownRtpengine ? '' : ' on this machine';
  const make = `mkdir -p ${dir}; chown ${userInfo().username} ${dir}`;
  const known = await stat(dir).catch(() => undefined);
  if (known === undefined) return [finding(check, level, `RECORDING_DIR=${dir} does not exist${own}.`, make)];
  if (!known.isDirectory()) return [finding(check, level, `RECORDING_DIR=${dir} is no folder.`, 'Name a folder.')];
  const writable = await access(dir, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const words = `${userInfo().username}, as whom our rtpengine runs, may not write to RECORDING_DIR=${dir}.`;
  if (!writable && ownRtpengine) return [finding(check, 'error', words, make)];
  return spaceFindings(dir);
}

/** An hour of one call with G.711 is about 120 MB of pcap. */
async function spaceFindings(dir: string): Promise<readonly Finding[]> {
  const { bavail, bsize } = await statfs(dir);
  const bytes = bavail * bsize;
  const free = `RECORDING_DIR=${dir} has ${(bytes / leastBytes).toFixed(1)} GiB free`;
  if (bytes >= leastBytes) return [finding(check, 'ok', `${free}.`, '')];
  const cure = 'Remove or move old recordings: rtpengine deletes none. An hour of a call takes about 120 MB.';
  return [finding(check, 'warning', `${free}, less than ten hours of calls.`, cure)];
}

async function nodeFinding(node: MediaNode, dir: string, checked: RecordingChecked): Promise<Finding> {
  const written = await recordsInto(node, dir, checked).catch(() => undefined);
  if (written === undefined) return elsewhere(node, dir);
  if (written) return finding(check, 'ok', `${node.address} records into ${dir}.`, '');
  const words = `${node.address} says ok to a recording, and writes nothing into RECORDING_DIR=${dir}.`;
  const cure = `Start it with --recording-dir=${dir} --recording-method=pcap, and let its user write there.`;
  return finding(check, 'warning', words, cure);
}

async function recordsInto(
  { id }: MediaNode,
  dir: string,
  { media, random, mark }: Pick<RecordingChecked, 'media' | 'random' | 'mark'>,
): Promise<boolean> {
  const callId = `viaduct-doctor-${random.hex(8)}`;
  const branch = viaBranch(mark, `z9hG4bK${random.hex(8)}`);
  const offer = { command: 'offer', 'call-id': callId, 'from-tag': 'doctor', 'via-branch': branch } as const;
  try {
    await media.send(id, { ...offer, ...offerProfile('rtp', 'rtp'), sdp: canarySdp });
    await media.send(id, { command: 'start recording', 'call-id': callId });
    return await appears(dir, callId);
  } finally {
    await media.send(id, deleteCommand(callId, '', { delete: 'call' })).catch(() => undefined);
    await removeFiles(dir, callId);
  }
}

async function appears(dir: string, callId: string): Promise<boolean> {
  for (let look = 0; look < looks; look++) {
    if ((await filesOf(dir, callId)).length > 0) return true;
    await delay(lookEveryMs);
  }
  return false;
}

/** Its metadata move from one folder to the other behind the delete. */
async function removeFiles(dir: string, callId: string): Promise<void> {
  for (let look = 0; look < 3; look++) {
    for (const file of await filesOf(dir, callId)) await rm(file, { force: true }).catch(() => undefined);
    await delay(lookEveryMs);
  }
}

/** In the folder, or in one within it (`pcaps`, `metadata`, `tmp`). */
async function filesOf(dir: string, callId: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  // Recordings may be a hundred thousand: they are not asked for what is in them.
  const folders = ['', ...entries.filter((entry) => !entry.isFile()).map(({ name }) => name)];
  const names = await Promise.all(
    folders.map(async (folder) => {
      const own = folder === '' ? entries.map(({ name }) => name) : await readdir(join(dir, folder)).catch(() => []);
      return own.filter((name) => name.includes(callId)).map((name) => join(dir, folder, name));
    }),
  );
  return names.flat();
}
