/**
 * What the REST API answers, as JSON Schema (and so as types): the names a client may rely on.
 * A value that is not known is `null` and never missing, so that a client reads one shape.
 */
import { Type } from 'typebox';

const Count = Type.Integer({ minimum: 0 });
const Counts = Type.Record(Type.String(), Count);
const Text = Type.String();
const UpDown = Type.Union([Type.Literal('up'), Type.Literal('down')]);
const TransportName = Type.Union([
  Type.Literal('udp'),
  Type.Literal('tcp'),
  Type.Literal('tls'),
  Type.Literal('ws'),
  Type.Literal('wss'),
]);
const Media = Type.Union([
  Type.Literal('webrtc'),
  Type.Literal('rtp'),
  Type.Literal('sdes'),
  Type.Literal('osrtp'),
  Type.Null(),
]);
const MaybeText = Type.Union([Text, Type.Null()]);

export const HealthBody = Type.Object({
  status: Type.Union([Type.Literal('ok'), Type.Literal('degraded'), Type.Literal('draining')]),
  version: Text,
  uptimeSeconds: Type.Number(),
  database: UpDown,
  media: Type.Union([UpDown, Type.Literal('none')]),
  nodes: Count,
});

export const NodeBody = Type.Object({
  id: Text,
  address: Text,
  weight: Type.Number(),
  state: Type.Union([Type.Literal('up'), Type.Literal('down'), Type.Literal('busy'), Type.Literal('draining')]),
  ports: Type.Union([Type.Object({ used: Count, free: Count }), Type.Null()]),
  lastError: MaybeText,
});

export const NodesBody = Type.Object({ items: Type.Array(NodeBody), next: MaybeText });

export const StatisticsBody = Type.Object({
  uptimeSeconds: Type.Number(),
  registrations: Type.Object({ bindings: Count }),
  calls: Type.Object({ inProgress: Count, ringing: Count, answered: Count, failed: Count }),
  presence: Type.Object({ publications: Count, subscriptions: Count, notifying: Count }),
  transactions: Type.Object({ server: Count, client: Count }),
  connections: Type.Object({ tcp: Count, tls: Count, ws: Count, wss: Count }),
  messages: Type.Object({ requests: Counts, responses: Counts, dropped: Counts }),
  refusals: Counts,
  rtpengine: Type.Array(NodeBody),
  database: Type.Object({ state: UpDown, waiting: Count, lastError: MaybeText }),
  nodes: Type.Array(Type.Object({ id: Text, address: Text, isSelf: Type.Boolean(), silentSeconds: Count })),
});

const Registration = Type.Object({
  aor: Text,
  contact: Text,
  publicGruu: MaybeText,
  transport: TransportName,
  source: Text,
  userAgent: Text,
  media: Media,
  q: Type.Number(),
  expiresAt: Text,
});

const CallStateName = Type.Union([
  Type.Literal('ringing'),
  Type.Literal('answered'),
  Type.Literal('ended'),
  Type.Literal('failed'),
]);

/** Why there is no MOS: the same words in lists, records and explanations. */
const NoQuality = Type.Union([
  Type.Literal('not-answered'),
  Type.Literal('no-relay'),
  Type.Literal('relay-gone'),
  Type.Literal('no-statistics'),
  Type.Literal('no-media'),
  Type.Literal('no-rtcp'),
  Type.Literal('too-few-reports'),
  Type.Null(),
]);

const MaybeCount = Type.Union([Count, Type.Null()]);
const MaybeNumber = Type.Union([Type.Number(), Type.Null()]);

/** What one side sent: `packets` and `bytes` as rtpengine counted them, the rest by RTCP. */
const LegRecord = Type.Object({
  role: Type.Union([Type.Literal('caller'), Type.Literal('callee')]),
  profile: Media,
  packets: MaybeCount,
  bytes: MaybeCount,
  /** 1 to 5. */
  mos: MaybeNumber,
  jitterMs: MaybeNumber,
  lossPercent: MaybeNumber,
  lost: MaybeNumber,
  roundTripMs: MaybeNumber,
  noQuality: NoQuality,
});

/** What the watch over the media of a call found: the verdict of `explain`, as it happens. */
const MediaFault = Type.Object({ code: Text, says: Text, nextStep: Text });

const Call = Type.Object({
  id: Text,
  callId: Text,
  /** The other node of Viaduct that has it, while it is up: that one has its ladder, too. `null`: this one. */
  node: MaybeText,
  state: CallStateName,
  from: Text,
  to: Text,
  /** What was dialled, whatever To says; `null`: a restart took the call up. */
  requestUri: MaybeText,
  startedAt: Text,
  answeredAt: MaybeText,
  callerMedia: Media,
  calleeMedia: Media,
  rtpengine: MaybeText,
  endedAt: MaybeText,
  endedBy: Type.Union([Type.Literal('caller'), Type.Literal('callee'), Type.Literal('viaduct'), Type.Null()]),
  status: Type.Union([Type.Integer(), Type.Null()]),
  code: MaybeText,
  reason: MaybeText,
  /** `null`: nothing was found so far, or it is well again. */
  mediaFault: Type.Union([MediaFault, Type.Null()]),
  /** `null`: it never was. */
  recording: Type.Union([Type.Literal('on'), Type.Literal('paused'), Type.Literal('off'), Type.Null()]),
  /** The caller, then the callee that answered. */
  legs: Type.Array(LegRecord),
});

export const CallBody = Call;

const Tone = Type.Union([Type.Literal('plain'), Type.Literal('good'), Type.Literal('bad'), Type.Literal('quiet')]);

const Party = Type.Object({
  role: Type.Union([Type.Literal('caller'), Type.Literal('callee')]),
  name: Text,
  transport: TransportName,
  address: Text,
});

/** `party`: index into `parties`, null for a step of Viaduct itself. `incoming`: from that party to Viaduct. */
const LadderStep = Type.Object({
  kind: Type.Union([
    Type.Literal('message'),
    Type.Literal('ng'),
    Type.Literal('routed'),
    Type.Literal('diverted'),
    Type.Literal('branch-failed'),
    Type.Literal('timer'),
    Type.Literal('answered'),
    Type.Literal('media'),
    Type.Literal('ended'),
  ]),
  number: Type.Union([Count, Type.Null()]),
  at: Text,
  sinceMs: Type.Integer(),
  party: Type.Union([Count, Type.Null()]),
  incoming: Type.Boolean(),
  label: Text,
  tone: Tone,
  times: Count,
  lastSinceMs: Type.Integer(),
  text: MaybeText,
});

export const LadderBody = Type.Object({
  call: Call,
  parties: Type.Array(Party),
  steps: Type.Array(LadderStep),
  /** The drawing, 100 columns wide at most. */
  lines: Type.Array(Type.Object({ text: Text, tone: Tone })),
  dropped: Count,
});

/** What rtpengine saw of one party; `packets` came from it. `quality` is of what it sends, by RTCP. */
const LegMedia = Type.Object({
  tag: Text,
  viaBranch: MaybeText,
  protocol: Text,
  local: Text,
  remote: Text,
  packets: Count,
  bytes: Count,
  rtcpPackets: Count,
  silentSeconds: Type.Union([Count, Type.Null()]),
  sends: Type.Boolean(),
  ice: Type.Union([Type.Literal('off'), Type.Literal('waiting'), Type.Literal('unknown'), Type.Literal('done')]),
  dtls: Type.Union([Type.Literal('off'), Type.Literal('waiting'), Type.Literal('done')]),
  srtp: Type.Union([Type.Literal('off'), Type.Literal('SDES'), Type.Literal('DTLS-SRTP')]),
  quality: Type.Union([
    Type.Object({
      mos: Type.Number(),
      jitterMs: Type.Number(),
      lossPercent: Type.Number(),
      roundTripMs: Type.Number(),
      lost: Type.Integer(),
    }),
    Type.Null(),
  ]),
});

/** From the answer to the end: packets by each look at rtpengine, quality by its reports (RTCP). The oldest first. */
const OverTime = Type.Object({
  packets: Type.Array(Type.Object({ at: Text, packets: Count })),
  quality: Type.Array(
    Type.Object({
      at: Text,
      mos: Type.Number(),
      jitterMs: Type.Number(),
      lossPercent: Type.Number(),
      roundTripMs: Type.Number(),
    }),
  ),
});

const Leg = Type.Object({
  party: Party,
  userAgent: Text,
  /** What rtpengine was told that it speaks, and why. */
  profile: Media,
  why: Text,
  inCall: Type.Boolean(),
  sdpFrom: MaybeText,
  sdpTo: MaybeText,
  media: Type.Union([LegMedia, Type.Null()]),
  noQuality: NoQuality,
  overTime: OverTime,
});

/** One offer or answer on its way through rtpengine. */
const Exchange = Type.Object({
  kind: Type.Union([Type.Literal('offer'), Type.Literal('answer')]),
  by: Type.Union([Type.Literal('caller'), Type.Literal('callee')]),
  callee: MaybeText,
  at: Text,
  tookMs: Type.Integer(),
  node: Text,
  cookie: Text,
  flags: Type.Record(Type.String(), Text),
  failure: MaybeText,
  before: Text,
  after: MaybeText,
  words: Type.Array(Text),
  changes: Type.Array(Type.Object({ section: Text, removed: Type.Array(Text), added: Type.Array(Text) })),
});

const Verdict = Type.Object({
  /** Never changes. */
  number: Type.Integer(),
  code: Text,
  level: Type.Union([Type.Literal('error'), Type.Literal('warning'), Type.Literal('notice'), Type.Literal('ok')]),
  says: Text,
  nextStep: Text,
});

export const ExplanationBody = Type.Object({
  call: Call,
  /** The first one is the headline. */
  verdicts: Type.Array(Verdict),
  legs: Type.Array(Leg),
  exchanges: Type.Array(Exchange),
});

/** The `data` of an event of `GET /api/v1/events`; its `event` is the `type`. */
export const HappeningBody = Type.Union([
  Type.Object({
    type: Type.Literal('call'),
    change: Type.Union([
      Type.Literal('started'),
      Type.Literal('answered'),
      Type.Literal('ended'),
      Type.Literal('failed'),
    ]),
    call: Call,
  }),
  /** The media of a call is not as it should be, or is well again: its `mediaFault` has changed. */
  Type.Object({ type: Type.Literal('media'), call: Call }),
  Type.Object({ type: Type.Literal('registration'), aor: Text, source: Text }),
  Type.Object({ type: Type.Literal('node'), node: NodeBody }),
  Type.Object({ type: Type.Literal('counters'), statistics: StatisticsBody }),
  /** This client was too slow: so many events were left out before this one. */
  Type.Object({ type: Type.Literal('lost'), events: Count }),
]);

export const RegistrationsBody = Type.Object({ items: Type.Array(Registration), next: MaybeText });
/** `complete` is false while the database does not answer: then only what this process remembers is there. */
export const CallsBody = Type.Object({ items: Type.Array(Call), next: MaybeText, complete: Type.Boolean() });

const RefusedSource = Type.Object({
  source: Text,
  reason: Type.Union([
    Type.Literal('failed-logins'),
    Type.Literal('scanner'),
    Type.Literal('too-many-messages'),
    Type.Literal('too-many-connections'),
    Type.Literal('too-many-requests'),
  ]),
  over: Type.Union([Type.Literal('udp'), Type.Literal('everything')]),
  count: Count,
  lastAt: Text,
  until: MaybeText,
});
export const RefusalsBody = Type.Object({ items: Type.Array(RefusedSource), next: MaybeText });

export const LogLevelBody = Type.Object({
  level: Type.Union([
    Type.Literal('trace'),
    Type.Literal('debug'),
    Type.Literal('info'),
    Type.Literal('warn'),
    Type.Literal('error'),
    Type.Literal('silent'),
  ]),
});

export const ReloadBody = Type.Object({ changed: Type.Array(Text), needsRestart: Type.Array(Text) });

/** `limit` items at most, those behind the one that `after` names (the `next` of the page before). */
export const PageQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
  },
  { additionalProperties: false },
);

const Time = Type.String({ format: 'date-time' });

/** The calls in this state only, those that an account made or took, those that began from `since` on and before `until`. */
export const CallsQuery = Type.Object(
  {
    ...PageQuery.properties,
    state: Type.Optional(CallStateName),
    account: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    since: Type.Optional(Time),
    until: Type.Optional(Time),
  },
  { additionalProperties: false },
);

export const CallParams = Type.Object({ id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) });

export const DoctorBody = Type.Object({
  /** No finding is an error. */
  healthy: Type.Boolean(),
  findings: Type.Array(
    Type.Object({
      check: Text,
      level: Type.Union([Type.Literal('ok'), Type.Literal('notice'), Type.Literal('warning'), Type.Literal('error')]),
      says: Text,
      cure: Text,
    }),
  ),
});
