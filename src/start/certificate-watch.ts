/**
 * Looks at the certificates once a day: a process runs for months, and its certificate does not. Those of TLS_CFG are
 * read for their warnings only: taking changed files into use is a reload, which somebody asks for. The one that
 * Viaduct makes itself is made anew by reading it in its last month, and then shown.
 */
import type { TlsSource } from '../adapters/network/tls-source.ts';
import { failureOf } from '../errors.ts';
import type { Cancel, Clock, Log } from '../ports.ts';

export interface CertificateWatch {
  readonly clock: Clock;
  /** Reads and checks them again, and logs what is wrong. */
  read(): Promise<TlsSource>;
  /** Shows them to new connections; absent: only a reload does. */
  readonly use: ((tls: TlsSource) => void) | undefined;
  readonly log: Log;
}

const dayMs = 86_400_000;

/** Until the returned function is called. */
export function watchCertificates(watch: CertificateWatch): Cancel {
  let cancel: Cancel = () => undefined;
  const next = (): void => {
    cancel = watch.clock.after(dayMs, () => void look(watch).then(next));
  };
  next();
  return () => cancel();
}

async function look({ read, use, log }: CertificateWatch): Promise<void> {
  try {
    const tls = await read();
    use?.(tls);
  } catch (thrown) {
    const { message, row } = failureOf(thrown);
    log.warn({ next: row.nextStep }, `The certificates cannot be read; those of the start are shown. ${message}`);
  }
}
