/**
 * Which rtpengine a node is. No ng command tells it, but an SDP that rtpengine makes itself has it in `s=`: the answer to
 * a `publish`, which is deleted at once. Versions older than 10.5 do not know that command.
 */
import { deleteCommand } from '../media/delete-rules.ts';
import type { MediaNode, MediaRelay, Random } from '../ports.ts';

export async function versionOf(
  { id }: MediaNode,
  sdp: string,
  { media, random }: { readonly media: MediaRelay; readonly random: Random },
): Promise<string | undefined> {
  const callId = `viaduct-doctor-${random.hex(8)}`;
  try {
    const reply = await media.send(id, { command: 'publish', 'call-id': callId, 'from-tag': 'doctor', sdp });
    return versionIn(String(reply.sdp));
  } catch {
    return undefined;
  } finally {
    media.send(id, deleteCommand(callId, '', { delete: 'call' })).catch(() => undefined);
  }
}

/** `s=rtpengine-10-5-3-5-1-deb12u1` is 10.5.3.5. */
function versionIn(sdp: string): string | undefined {
  const [, numbers] = /^s=rtpengine-(?:mr)?(\d+(?:[-.]\d+){1,3})/m.exec(sdp) ?? [];
  return numbers?.replaceAll('-', '.');
}
