/**
 * What an operator may do to the media of a call that is up: record it, play something to a party, silence a party or
 * its keypad. It stands in the call's story. What rtpengine refuses is a `Failure` with its words.
 *
 * 10.5 says `ok` to a recording also where it has no folder for it: RECORDING_DIR says whether it has one.
 */
import { Failure } from '../../errors.ts';
import type { BlockCommand, PlayCommand, RecordingCommand } from '../../media/commands.ts';
import type { DialogRecord, NgCommand } from '../../ports.ts';
import type { Blockable, Recording, Story } from '../../story/story.ts';
import type { Core } from '../core.ts';
import { refuseIfElsewhere } from '../operations/elsewhere.ts';
import type { CallSide, CallSummary, MediaControls, RecordingAction, Sound } from '../operations.ts';
import { summary } from '../story/call-list.ts';
import type { MediaCall } from './media-call.ts';

type Parts = Pick<Core, 'stories' | 'dialogs' | 'media' | 'ports' | 'options' | 'presence' | 'nodes'>;

interface Controlled {
  readonly story: Story;
  readonly record: DialogRecord;
  readonly node: string;
  readonly name: string;
}

export function mediaControls(core: Parts): MediaControls {
  return {
    record: (id, action) => record(core, id, action),
    play: (id, to, sound) => play(core, id, to, sound),
    stopPlaying: (id, to) => stopPlaying(core, id, to),
    block: (id, what, blocked) => block(core, id, what, blocked),
  };
}

const recordings = { start: 'on', pause: 'paused', stop: 'off' } as const;
const words: Readonly<Record<Recording, string>> = {
  on: 'Recording of the call began',
  paused: 'Recording of the call was paused',
  off: 'Recording of the call ended',
};

async function record(core: Parts, id: string, action: RecordingAction): Promise<CallSummary | undefined> {
  const call = controlled(core, id);
  if (call === undefined) return undefined;
  if (!core.options.canRecord) throw new Failure('recording-off');
  const { story } = call;
  const isRecorded = story.recording === 'on' || story.recording === 'paused' || mayBeRecorded(story);
  if (!isRecorded && action === 'pause') throw new Failure('not-recorded');
  if (!isRecorded && action === 'stop') return summary(story);
  await tell(core, call.node, { command: `${action} recording`, 'call-id': call.name } satisfies RecordingCommand);
  if (story.recording !== recordings[action]) core.stories.noteMedia(story, words[recordings[action]]);
  story.recording = recordings[action];
  return summary(story);
}

/** A restart took the call up, and nobody knows: rtpengine does not tell. */
const mayBeRecorded = ({ recording, requestUri }: Story): boolean =>
  recording === undefined && requestUri === undefined;

/** By policy, as the call is answered: nobody waits for it, and a failure does not hurt the call. */
export function recordAnswered(core: Parts, call: MediaCall): void {
  const story = core.stories.byCall(call.callId, call.callerTag);
  if (story === undefined || story.recording !== undefined) return;
  story.recording = 'on';
  startRecording(core, call).then(
    () => core.stories.noteMedia(story, words.on),
    (thrown: unknown) => {
      story.recording = undefined;
      core.ports.log.warn({ callId: call.callId, error: String(thrown) }, 'A call is not recorded');
    },
  );
}

async function startRecording({ options, ports }: Parts, { node, name }: MediaCall): Promise<void> {
  if (!options.canRecord) throw new Failure('recording-off');
  if (node !== undefined) await ports.media.send(node, { command: 'start recording', 'call-id': name });
}

async function play(core: Parts, id: string, to: CallSide, { file, audio, times }: Sound): Promise<boolean> {
  const call = controlled(core, id);
  if (call === undefined) return false;
  const what = { ...(file === undefined ? {} : { file }), ...(audio === undefined ? {} : { blob: audio }) };
  const often = times === undefined ? {} : { 'repeat-times': times };
  for (const tag of tagsOf(call.record, to)) {
    const command: PlayCommand = { command: 'play media', 'call-id': call.name, 'from-tag': tag, ...what, ...often };
    await tell(core, call.node, command);
  }
  core.stories.noteMedia(call.story, `Something is played to ${sides[to]}`);
  return true;
}

/** Where only one of both hears something, it is stopped all the same: rtpengine says no for the other. */
async function stopPlaying(core: Parts, id: string, to: CallSide): Promise<boolean> {
  const call = controlled(core, id);
  if (call === undefined) return false;
  const tags = tagsOf(call.record, to);
  const refused: Failure[] = [];
  for (const tag of tags)
    await tell(core, call.node, { command: 'stop media', 'call-id': call.name, 'from-tag': tag }).catch((thrown) => {
      refused.push(refusalOf(thrown));
    });
  const [first] = refused;
  if (first !== undefined && refused.length === tags.length) throw first;
  core.stories.noteMedia(call.story, `Nothing is played to ${sides[to]} any more`);
  return true;
}

function refusalOf(thrown: unknown): Failure {
  if (thrown instanceof Failure && thrown.code === 'media-command') return thrown;
  throw thrown;
}

/** Each side by itself: what rtpengine blocks for a call as a whole, it does not let through for one side, nor the other way round. */
async function block(
  core: Parts,
  id: string,
  { of, what }: { readonly of: CallSide; readonly what: Blockable },
  blocked: boolean,
): Promise<boolean> {
  const call = controlled(core, id);
  if (call === undefined) return false;
  const command: BlockCommand['command'] = `${blocked ? 'block' : 'unblock'} ${what}`;
  for (const side of sidesIn[of]) {
    const [tag = ''] = tagsOf(call.record, side);
    await tell(core, call.node, { command, 'call-id': call.name, 'from-tag': tag, flags: ['directional'] });
    if (blocked) call.story.blocked.add(`${what} of ${sides[side]}`);
    else call.story.blocked.delete(`${what} of ${sides[side]}`);
  }
  core.stories.noteMedia(call.story, `${what} of ${sides[of]} ${blocked ? 'is blocked' : 'passes again'}`);
  return true;
}

const sidesIn = { caller: ['caller'], callee: ['callee'], both: ['caller', 'callee'] } as const;
const sides = { caller: 'the caller', callee: 'the callee', both: 'both sides' } as const;

function tagsOf({ caller, callee }: DialogRecord, side: CallSide): readonly string[] {
  if (side === 'both') return [caller.tag, callee.tag];
  return [side === 'caller' ? caller.tag : callee.tag];
}

/** `undefined`: no such call. One that is over, has no media with us, or is at another node, is a `Failure`. */
function controlled(core: Parts, id: string): Controlled | undefined {
  const { stories, dialogs, media } = core;
  const story = stories.byId(id);
  const known = story && dialogs.all().find(({ callId }) => callId === story.callId);
  if (known === undefined) refuseIfElsewhere(core, id);
  if (story === undefined) return undefined;
  const session = known === undefined ? undefined : media.sessionOf(known);
  if (known === undefined || session === undefined) throw new Failure('call-not-up');
  return { story, record: known, node: session.node, name: session.name };
}

/** What would be said of an SDP is said of a command here. */
async function tell({ ports }: Parts, node: string, command: NgCommand): Promise<void> {
  try {
    await ports.media.send(node, command);
  } catch (thrown) {
    if (!(thrown instanceof Failure) || thrown.code === 'media-unable') throw thrown;
    if (thrown.code === 'media-refused') throw new Failure('media-command', thrown.detail);
    throw thrown.code === 'media-lost' ? new Failure('call-not-up', thrown.message) : thrown;
  }
}
