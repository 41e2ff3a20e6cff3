/** Settings whose names are misspelt, in the environment or in `.env`. Their values may be secrets, and are not shown. */
import type { Misspelt } from '../config/misspelt.ts';
import type { Finding } from '../engine/operations.ts';
import { finding } from './finding.ts';

export interface SettingsChecked {
  readonly misspelt: readonly Misspelt[];
}

export function settingFindings({ misspelt }: SettingsChecked): readonly Finding[] {
  return misspelt.map(({ name, meant }) => {
    const cure = `Call it ${meant}, or remove it: nobody reads it, and ${meant} has its default unless it is set as well.`;
    return finding('settings', 'warning', `${name} is no setting; ${meant} is one.`, cure);
  });
}
