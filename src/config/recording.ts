/** The settings of recordings: where they go, and which calls are recorded unasked. */
import type { Setting } from './setting.ts';
import * as value from './values.ts';

export interface RecordingSettings {
  readonly recordingDir: string | undefined;
  readonly recordCalls: 'all' | 'on-request';
}

type Table = { readonly [Field in keyof RecordingSettings]: Setting<RecordingSettings[Field]> };

/** As it is called on the machine of rtpengine, so it must be absolute. */
function folder(text: string): string {
  if (!text.startsWith('/')) throw new value.BadValue('it does not begin with /');
  return text;
}

export const recordingTable: Table = {
  recordingDir: {
    name: 'RECORDING_DIR',
    unit: 'folder',
    help: 'Where rtpengine writes recordings: our own one is told, those of RTPENGINE have it as --recording-dir. Without it nothing is recorded.',
    example: '/var/spool/rtpengine',
    byDefault: 'none',
    otherwise: undefined,
    parse: folder,
  },
  recordCalls: {
    name: 'RECORD_CALLS',
    unit: 'all or on-request',
    help: 'Which calls are recorded from their answer on; others are when REST asks for it.',
    example: 'all',
    byDefault: 'on-request',
    otherwise: 'on-request',
    parse: value.oneOf('all', 'on-request'),
  },
};
