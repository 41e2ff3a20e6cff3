/** Every view of the console, in the order of the navigation. */
import type { ComponentType } from 'preact';
import type { IconName } from './icons.tsx';
import { Calls } from './views/calls.tsx';
import { Nodes } from './views/nodes.tsx';
import { Overview } from './views/overview.tsx';
import { Refusals } from './views/refusals.tsx';
import { Registrations } from './views/registrations.tsx';

export interface View {
  /** In the address: `#/calls`. */
  readonly path: string;
  readonly title: string;
  /** Under the title. */
  readonly about: string;
  readonly icon: IconName;
  readonly body: ComponentType;
}

export const views: readonly View[] = [
  { path: '', title: 'Overview', about: 'What goes on now', icon: 'overview', body: Overview },
  { path: 'calls', title: 'Calls', about: 'Who talks with whom', icon: 'calls', body: Calls },
  {
    path: 'registrations',
    title: 'Registrations',
    about: 'Who can be called, and where',
    icon: 'registrations',
    body: Registrations,
  },
  { path: 'rtpengine', title: 'Media', about: 'The rtpengine nodes that carry the sound', icon: 'media', body: Nodes },
  {
    path: 'refusals',
    title: 'Refusals',
    about: 'Why requests were refused since the start, and what to do',
    icon: 'refusals',
    body: Refusals,
  },
];
