/** The button for light, dark, or as the system says. */
import { signal } from '@preact/signals';
import { keepTheme, keptTheme, showTheme, type Theme, themes } from '../shared/colours.ts';
import { Icon } from './icons.tsx';

const theme = signal<Theme>(keptTheme());
const names = { auto: 'Colours as the system says', light: 'Light colours', dark: 'Dark colours' } as const;

export function startTheme(): void {
  theme.subscribe((chosen) => {
    showTheme(chosen);
    keepTheme(chosen);
  });
}

export function ThemeButton() {
  const chosen = theme.value;
  const next = themes[(themes.indexOf(chosen) + 1) % themes.length] ?? 'auto';
  const label = `${names[chosen]}; press for: ${names[next].toLowerCase()}`;
  return (
    <button type="button" class="quiet" aria-label={label} title={names[chosen]} onClick={() => (theme.value = next)}>
      <Icon name={chosen} />
    </button>
  );
}
