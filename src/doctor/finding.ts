/** One thing that the doctor has looked at. */
import type { Finding } from '../engine/operations.ts';

export function finding(check: string, level: Finding['level'], says: string, cure: string): Finding {
  return { check, level, says, cure };
}

type Look = () => readonly Finding[] | Promise<readonly Finding[]>;

/** All at the same time. One that fails is a finding by itself, and hides nothing of what the others find. */
export async function findingsOf(looks: Readonly<Record<string, Look>>): Promise<readonly Finding[]> {
  const found = Object.entries(looks).map(async ([check, look]) => {
    try {
      return await look();
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      return [
        finding(
          check,
          'error',
          `This could not be looked at: ${why}`,
          'Look at the log, and tell us: this is a fault of Viaduct.',
        ),
      ];
    }
  });
  return (await Promise.all(found)).flat();
}
