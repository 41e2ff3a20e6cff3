/**
 * Calls as CSV (RFC 4180), one line each: for a spreadsheet, or a program that makes bills. The columns are the names of
 * the JSON, with those of each side behind `caller` and `callee`.
 */
import type { Static } from 'typebox';
import type { CallBody } from './schemas.ts';

type Call = Static<typeof CallBody>;
type Cell = string | number | null | undefined;

const ofLeg = ['packets', 'bytes', 'mos', 'jitterMs', 'lossPercent', 'lost', 'roundTripMs', 'noQuality'] as const;

const columns: readonly (readonly [name: string, cell: (call: Call) => Cell])[] = [
  ['id', ({ id }) => id],
  ['callId', ({ callId }) => callId],
  ['state', ({ state }) => state],
  ['from', ({ from }) => from],
  ['to', ({ to }) => to],
  ['requestUri', ({ requestUri }) => requestUri],
  ['startedAt', ({ startedAt }) => startedAt],
  ['answeredAt', ({ answeredAt }) => answeredAt],
  ['endedAt', ({ endedAt }) => endedAt],
  ['seconds', secondsOf],
  ['endedBy', ({ endedBy }) => endedBy],
  ['status', ({ status }) => status],
  ['code', ({ code }) => code],
  ['reason', ({ reason }) => reason],
  ['rtpengine', ({ rtpengine }) => rtpengine],
  ['mediaFault', ({ mediaFault }) => mediaFault?.code],
  ['recording', ({ recording }) => recording],
  ...legColumns('caller'),
  ...legColumns('callee'),
  ['node', ({ node }) => node],
];

function legColumns(role: 'caller' | 'callee'): typeof columns {
  const legOf = ({ legs }: Call) => legs.find((leg) => leg.role === role);
  const rest = ofLeg.map((name): (typeof columns)[number] => [named(role, name), (call) => legOf(call)?.[name]]);
  return [[named(role, 'media'), (call) => legOf(call)?.profile], ...rest];
}

function named(role: string, name: string): string {
  return role + name.replace(/^./, (first) => first.toUpperCase());
}

/** Talked, for bills; empty where nobody answered. */
function secondsOf({ answeredAt, endedAt }: Call): Cell {
  return answeredAt === null || endedAt === null ? null : (Date.parse(endedAt) - Date.parse(answeredAt)) / 1000;
}

export const csvTitles = line(columns.map(([name]) => name));

export function csvOf(call: Call): string {
  return line(columns.map(([, cell]) => cell(call)));
}

function line(cells: readonly Cell[]): string {
  return `${cells.map(printed).join(',')}\r\n`;
}

function printed(cell: Cell): string {
  if (typeof cell === 'number') return String(cell);
  // A Call-ID such as "=1+1" is a formula to a spreadsheet, and comes from strangers; where `;` is what separates, so is
  // what follows one, with quotes around it or not.
  const text = (cell ?? '').replace(/[\x00-\x1f\x7f-\x9f]/g, '·').replace(/(^|;)([=+\-@])/g, "$1'$2");
  return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
