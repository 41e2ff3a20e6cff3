/** Message waiting (RFC 3842 §5.2): the counts of a mailbox as lines. Only voice messages are counted here. */
import type { Mailbox } from '../ports.ts';

export function messageSummary(aor: string, mailbox: Mailbox | undefined): string {
  const { newMessages = 0, oldMessages = 0, newUrgent = 0, oldUrgent = 0 } = mailbox ?? {};
  const waiting = newMessages > 0 ? 'yes' : 'no';
  const counts = `${newMessages}/${oldMessages} (${newUrgent}/${oldUrgent})`;
  return `Messages-Waiting: ${waiting}\r\nMessage-Account: ${aor}\r\nVoice-Message: ${counts}\r\n`;
}
