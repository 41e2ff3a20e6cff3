/** Light, dark, or as the system says: kept in this browser. */
import { signal } from '@preact/signals';
import { Icon } from './icons.tsx';

const KEY = 'viaduct.theme';
const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const theme = signal<Theme>(themes.find((each) => each === localStorage.getItem(KEY)) ?? 'auto');
const names = { auto: 'Colours as the system says', light: 'Light colours', dark: 'Dark colours' } as const;

export function startTheme(): void {
  theme.subscribe((chosen) => {
    document.documentElement.style.colorScheme = chosen === 'auto' ? '' : chosen;
    localStorage.setItem(KEY, chosen);
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
