/** Light, dark, or as the system says: chosen in the console, for every page, and kept in this browser. */

const KEY = 'viaduct.theme';

export const themes = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

export function keptTheme(): Theme {
  return themes.find((each) => each === localStorage.getItem(KEY)) ?? 'auto';
}

export function keepTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
}

export function showTheme(theme: Theme): void {
  document.documentElement.style.colorScheme = theme === 'auto' ? '' : theme;
}
