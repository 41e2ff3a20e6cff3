/** Every view of the console, in the order of the navigation. */
import { computed } from '@preact/signals';
import type { ComponentType } from 'preact';
import type { IconName } from './icons.tsx';
import { addresses } from './live.ts';
import { Calls } from './views/calls.tsx';
import { Doctor } from './views/doctor.tsx';
import { Nodes } from './views/nodes.tsx';
import { Overview } from './views/overview.tsx';
import { Presence } from './views/presence.tsx';
import { Refusals } from './views/refusals.tsx';
import { Registrations } from './views/registrations.tsx';
import { Subscribers } from './views/subscribers.tsx';

export interface View {
  /** In the address: `#/calls`. */
  readonly path: string;
  readonly title: string;
  /** Under the title. */
  readonly about: string;
  /** The title where one of its rows is shown: `#/calls/abc`. */
  readonly one?: string;
  readonly icon: IconName;
  readonly body: ComponentType<{ readonly id?: string | undefined }>;
  /** The address of REST without which there is nothing to show. */
  readonly needs?: string;
}

const all: readonly View[] = [
  { path: '', title: 'Overview', about: 'What goes on now', icon: 'overview', body: Overview },
  {
    path: 'calls',
    title: 'Calls',
    one: 'One call',
    about: 'Who talks with whom, and who could not',
    icon: 'calls',
    body: Calls,
  },
  {
    path: 'registrations',
    title: 'Registrations',
    about: 'Who can be called, and where',
    icon: 'registrations',
    body: Registrations,
  },
  {
    path: 'subscribers',
    title: 'Accounts',
    about: 'Who may log in',
    icon: 'subscribers',
    body: Subscribers,
    needs: '/api/v1/subscribers',
  },
  {
    path: 'presence',
    title: 'Presence',
    about: 'Who watches whom, and what is told',
    icon: 'presence',
    body: Presence,
    needs: '/api/v1/presence/subscriptions',
  },
  { path: 'rtpengine', title: 'Media', about: 'The rtpengine nodes that carry the sound', icon: 'media', body: Nodes },
  {
    path: 'refusals',
    title: 'Refusals',
    about: 'Who and what was refused, and what to do',
    icon: 'refusals',
    body: Refusals,
  },
  {
    path: 'doctor',
    title: 'Doctor',
    about: 'What is wrong with this installation, each with its cure',
    icon: 'doctor',
    body: Doctor,
    needs: '/api/v1/doctor',
  },
];

/** Those for which this server has REST. */
export const views = computed(() => all.filter(({ needs }) => needs === undefined || addresses.value.has(needs)));
