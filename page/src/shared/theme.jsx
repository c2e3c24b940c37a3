// Light or dark: as the system says, or as chosen here.

import { useEffect } from 'preact/hooks';

import { kept, useWatched } from './store.js';

const theme = kept('theme', 'system');
const NEXT = { system: 'light', light: 'dark', dark: 'system' };
const SIGN = { system: '◐', light: '☀', dark: '☾' };

/** Goes through the themes. */
export function ThemeButton() {
  const present = useWatched(theme);
  useEffect(() => {
    if (present === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = present;
  }, [present]);
  const name = SIGN[present] ? present : 'system';
  return (
    <button type="button" class="icon" onClick={() => (theme.value = NEXT[name])} aria-label={`Colours: ${name}. Change`} title={`Colours: ${name}`}>
      <span aria-hidden="true">{SIGN[name]}</span>
    </button>
  );
}
