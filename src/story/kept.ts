/**
 * A story as text for a database, and back: JSON in ASCII, where a byte of a message is one character, and without
 * credentials. What another version wrote is read as far as it is understood.
 */
import { withoutCredentials, withoutKeys } from './credentials.ts';
import type { NgEvent, StoryEvent } from './events.ts';
import { Story, type StoryStart } from './story.ts';

/** So that one call cannot fill the database; the end of a long call is left out. */
const mostCharacters = 400_000;

const facts = ['answeredAtMs', 'endedAtMs', 'status', 'endedBy', 'code', 'detail', 'cancelled', 'dropped'] as const;
const sides = [
  'requestUri',
  'callerTag',
  'calleeTag',
  'answeredBy',
  'callerMedia',
  'calleeMedia',
  'mediaNode',
] as const;
/** What the events would make anew, with less in it. */
const counted = ['mediaHistory'] as const;

export function storyToText(story: Story): string {
  const known = Object.fromEntries([...facts, ...sides, ...counted].map((name) => [name, story[name]]));
  const events: string[] = [];
  let length = 0;
  for (const event of story.events) {
    const text = JSON.stringify(withoutSecrets(event));
    length += text.length;
    if (length > mostCharacters) break;
    events.push(text);
  }
  return ascii(`{"story":${JSON.stringify(known)},"events":[${events.join(',')}]}`);
}

function withoutSecrets(event: StoryEvent): StoryEvent {
  if (event.kind === 'message') return { ...event, text: withoutCredentials(event.text) };
  return event.kind === 'ng' ? withoutNgSecrets(event) : event;
}

function withoutNgSecrets(event: NgEvent): NgEvent {
  const { command, reply } = event;
  const asked = 'sdp' in command ? { ...command, sdp: withoutKeys(command.sdp) } : command;
  const sdp = reply?.sdp;
  return {
    ...event,
    command: asked,
    ...(typeof sdp === 'string' ? { reply: { ...reply, sdp: withoutKeys(sdp) } } : {}),
  };
}

const ascii = (json: string): string =>
  json.replace(/[\x7f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** `undefined` for text that is no story. */
export function storyFromText(start: StoryStart, text: string): Story | undefined {
  const value = parsed(text);
  if (!isObject(value) || !isObject(value.story) || !Array.isArray(value.events)) return undefined;
  const story = new Story(start);
  const known: Partial<Story> = value.story;
  for (const name of [...facts, ...sides]) take(story, known, name);
  for (const event of value.events) if (isEvent(event)) story.add(event);
  for (const name of counted) take(story, known, name);
  return story;
}

function take<Name extends keyof Story>(story: Story, known: Partial<Story>, name: Name): void {
  const value = known[name];
  if (value !== undefined) Object.assign(story, { [name]: value });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

const kinds: ReadonlySet<unknown> = new Set<StoryEvent['kind']>([
  'message',
  'ng',
  'routed',
  'diverted',
  'branch-failed',
  'timer',
  'answered',
  'media',
  'ended',
]);

/** We wrote it: its kind vouches for the rest. */
function isEvent(value: unknown): value is StoryEvent {
  return isObject(value) && kinds.has(value.kind) && typeof value.atMs === 'number';
}
