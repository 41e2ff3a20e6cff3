/**
 * What is wrong with this installation, in plain findings with their cures: at start, at `GET /api/v1/doctor` and by
 * `viaduct doctor`. It only looks; the canary offers it makes are deleted at once.
 */
import type { Finding } from '../engine/operations.ts';
import type { Log } from '../ports.ts';
import { type CertificateFilesChecked, certificateFileFindings } from './certificate-files.ts';
import { tlsFindings } from './certificates.ts';
import { type DataDirChecked, dataDirFindings } from './data-dir.ts';
import { clockFindings, type DatabaseChecked, databaseFindings } from './database.ts';
import { findingsOf } from './finding.ts';
import { ephemeralPorts, fileFindings } from './host.ts';
import { listenerFindings } from './listeners.ts';
import { type NamesChecked, nameFindings } from './names.ts';
import { type NodesChecked, nodeFindings } from './nodes.ts';
import { type RecordingChecked, recordingFindings } from './recording.ts';
import { type RelaysChecked, relayFindings } from './relays.ts';
import { type SettingsChecked, settingFindings } from './settings.ts';
import { type TokensChecked, tokenFindings } from './tokens.ts';

export type Checked = NamesChecked &
  DatabaseChecked &
  CertificateFilesChecked &
  DataDirChecked &
  NodesChecked &
  RecordingChecked &
  TokensChecked &
  SettingsChecked &
  Omit<RelaysChecked, 'ephemeral'>;

export async function doctor(checked: Checked): Promise<readonly Finding[]> {
  const { listeners, domains, nowMs } = checked;
  return findingsOf({
    settings: () => settingFindings(checked),
    listeners: () => listenerFindings(listeners),
    dns: () => nameFindings(checked),
    tls: () => tlsFindings(listeners, domains, nowMs()),
    'tls.cfg': () => certificateFileFindings(checked),
    database: () => databaseFindings(checked),
    clock: () => clockFindings(nowMs()),
    nodes: () => nodeFindings(checked),
    rtpengine: () => relayFindings({ ...checked, ephemeral: ephemeralPorts() }),
    recording: () => recordingFindings(checked),
    tokens: () => tokenFindings(checked),
    host: fileFindings,
    dataDir: () => dataDirFindings(checked),
  });
}

/** For the log, once after the start. */
export function logFindings(log: Log, findings: readonly Finding[]): void {
  const bad = findings.filter(({ level }) => level === 'error' || level === 'warning');
  // The entry has a level of its own.
  for (const { check, level, says, cure } of bad) log.warn({ check, finding: level, cure }, says);
  const words =
    bad.length === 0
      ? 'all is well'
      : bad.length === 1
        ? 'one finding wants a look'
        : `${bad.length} findings want a look`;
  log.info({ findings: findings.length }, `Doctor: ${words}; npx viaduct doctor says more`);
}
