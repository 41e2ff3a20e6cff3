/** The console at `/`: what Viaduct does, seen and steered from a browser. */
import { render } from 'preact';
import { element } from '../shared/dom.ts';
import { startFirstCall } from './first-call.tsx';
import { startKeys } from './keys.tsx';
import { startLive } from './live.ts';
import { Shell } from './shell.tsx';
import { startTheme } from './theme.tsx';

startTheme();
startKeys();
startFirstCall();
startLive();
render(<Shell />, element('console', HTMLElement));
