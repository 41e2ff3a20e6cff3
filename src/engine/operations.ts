/**
 * What REST, the pages and the command line may ask of a running proxy: plain data out, no SIP objects.
 * `routes/http/` sees this file and nothing else of the engine.
 */
import type { MediaKind, MediaNode, Transport } from '../ports.ts';

export interface Health {
  readonly status: 'ok' | 'degraded';
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly database: 'up' | 'down';
  /** `none`: no node is configured; calls that need media are refused. */
  readonly media: 'up' | 'down' | 'none';
}

export interface Statistics {
  readonly uptimeSeconds: number;
  readonly registrations: { readonly bindings: number };
  readonly calls: {
    readonly inProgress: number;
    readonly ringing: number;
    readonly answered: number;
    readonly failed: number;
  };
  readonly transactions: { readonly server: number; readonly client: number };
  readonly connections: Readonly<Record<Exclude<Transport, 'udp'>, number>>;
  readonly messages: {
    /** By method; methods we do not know are counted as `other`. */
    readonly requests: Readonly<Record<string, number>>;
    /** By status code of the responses sent upstream. */
    readonly responses: Readonly<Record<string, number>>;
    readonly dropped: Readonly<Record<string, number>>;
  };
  /** How often each row of `errors.ts` refused something. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly rtpengine: readonly MediaNode[];
  readonly database: { readonly state: 'up' | 'down'; readonly waiting: number };
}

export interface Registration {
  readonly aor: string;
  readonly contact: string;
  readonly transport: Transport;
  readonly source: string;
  readonly userAgent: string;
  readonly media: MediaKind | undefined;
  readonly q: number;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export interface CallSummary {
  /** base64url of a hash of the Call-ID: safe in paths (DESIGN §5). */
  readonly id: string;
  readonly callId: string;
  readonly state: 'ringing' | 'answered';
  readonly from: string;
  readonly to: string;
  readonly startedAt: string;
  readonly answeredAt: string | undefined;
  readonly callerMedia: MediaKind | undefined;
  readonly calleeMedia: MediaKind | undefined;
  readonly rtpengine: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass as `after` for the next page; `undefined` on the last one. */
  readonly next: string | undefined;
}

export interface PageRequest {
  /** 1 to 1000. */
  readonly limit: number;
  readonly after?: string;
}

export interface Operations {
  health(): Health;
  statistics(): Promise<Statistics>;
  registrations(page: PageRequest): Promise<Page<Registration>>;
  calls(page: PageRequest): Page<CallSummary>;
}
