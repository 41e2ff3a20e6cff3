/**
 * The ladder of a call: a lifeline for each party, an arrow for each message, and on the line of Viaduct what it decided
 * and asked of rtpengine. A step is a button; what it chose is read beside the ladder.
 */
import { useState } from 'preact/hooks';
import type { Ladder, LadderParty, LadderStep } from './answers.ts';
import { Icon } from './icons.tsx';
import { Copyable } from './parts.tsx';
import { timeOfDay } from './words.ts';

/** `undefined` is Viaduct. */
type Column = LadderParty | undefined;

export function LadderView({ ladder }: { readonly ladder: Ladder }) {
  const [chosen, setChosen] = useState<number | undefined>(undefined);
  const { parties, steps, dropped } = ladder;
  const columns = columnsOf(parties);
  const step = chosen === undefined ? undefined : steps[chosen];
  return (
    <div class="ladder-box" data-open={step !== undefined}>
      <div class="ladder" style={{ '--columns': String(columns.length) }}>
        <Heads columns={columns} />
        <ol onKeyDown={moveByArrows}>
          {steps.map((each, index) => (
            <li key={`${each.at} ${each.label} ${String(each.party)} ${String(each.incoming)}`}>
              <button
                type="button"
                class="step"
                data-tone={each.tone}
                aria-pressed={index === chosen}
                onClick={() => setChosen(index === chosen ? undefined : index)}
                onFocus={() => chosen !== undefined && setChosen(index)}
              >
                <time dateTime={each.at} title={timeOfDay(each.at)}>
                  {since(each.sinceMs)}
                </time>
                <Drawing step={each} parties={parties} columns={columns} />
              </button>
            </li>
          ))}
        </ol>
        {dropped > 0 && <p class="soft small">{dropped} further steps were left out to save memory.</p>}
      </div>
      {step !== undefined && <Message step={step} close={() => setChosen(undefined)} />}
    </div>
  );
}

function columnsOf(parties: readonly LadderParty[]): readonly Column[] {
  return [
    ...parties.filter(({ role }) => role === 'caller'),
    undefined,
    ...parties.filter(({ role }) => role === 'callee'),
  ];
}

function Heads({ columns }: { readonly columns: readonly Column[] }) {
  return (
    <div class="heads" aria-hidden="true">
      <span />
      {columns.map((party) => (
        <div
          key={party === undefined ? 'viaduct' : `${party.name} ${party.address}`}
          class={party === undefined ? 'life us' : 'life'}
        >
          <b dir="auto">{party?.name ?? 'Viaduct'}</b>
          <small>{party === undefined ? 'proxy' : `${party.transport.toUpperCase()} ${party.address}`}</small>
        </div>
      ))}
    </div>
  );
}

interface DrawingProps {
  readonly step: LadderStep;
  readonly parties: readonly LadderParty[];
  readonly columns: readonly Column[];
}

function Drawing({ step, parties, columns }: DrawingProps) {
  const us = columns.indexOf(undefined);
  const party = step.party === null ? undefined : parties[step.party];
  const there = party === undefined ? us : columns.indexOf(party);
  if (step.kind !== 'message' || there === us || there < 0) {
    return (
      <span class="note" data-kind={step.kind} style={{ '--at': middle(us, columns.length) }}>
        <span>
          {step.label}
          {step.times > 1 && ` ×${step.times}`}
        </span>
      </span>
    );
  }
  const [from, to] = step.incoming ? [there, us] : [us, there];
  const left = Math.min(from, to);
  const name = party?.name ?? '';
  return (
    <span
      class="arrow"
      data-toward={to > from ? 'right' : 'left'}
      style={{ '--left': middle(left, columns.length), '--width': `${(100 * Math.abs(from - to)) / columns.length}%` }}
    >
      <span class="sr-only">{step.incoming ? `${name} to Viaduct: ` : `Viaduct to ${name}: `}</span>
      <span class="label">
        {step.number !== null && <small aria-hidden="true">F{step.number} </small>}
        {step.label.replace(/ \(.*/, '')}
        <span class="body">{/ \(.*/.exec(step.label)?.[0]}</span>
        {step.times > 1 && (
          <em title={`It passed ${step.times} times, last at ${since(step.lastSinceMs)}`}> ×{step.times}</em>
        )}
      </span>
      <i />
    </span>
  );
}

/** The middle of a column. */
function middle(column: number, of: number): string {
  return `${(100 * (column + 0.5)) / of}%`;
}

function since(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

function Message({ step, close }: { readonly step: LadderStep; readonly close: () => void }) {
  return (
    <aside class="message card" aria-label="The chosen step">
      <header>
        <h3>{step.number === null ? step.label : `F${step.number} ${step.label}`}</h3>
        <button type="button" class="quiet" onClick={close} aria-label="Close the message" title="Close">
          <Icon name="close" />
        </button>
      </header>
      <p class="soft small">
        {timeOfDay(step.at)}, {since(step.sinceMs)} after the call began
        {step.times > 1 && `; it passed ${step.times} times`}
      </p>
      {step.text !== null && (
        <>
          <pre>
            {step.text.split(/\r?\n/).map((line, index) => (
              // The lines of a message do not move.
              <Line key={`${index} ${line}`} text={line} first={index === 0} />
            ))}
          </pre>
          <Copyable text={step.text} label="message" quiet />
        </>
      )}
    </aside>
  );
}

function Line({ text, first }: { readonly text: string; readonly first: boolean }) {
  const name = first ? undefined : /^[A-Za-z-]+(?=:)/.exec(text)?.[0];
  if (first) return <b>{`${text}\n`}</b>;
  if (name === undefined) return <>{`${text}\n`}</>;
  return (
    <>
      <span class="name">{name}</span>
      {`${text.slice(name.length)}\n`}
    </>
  );
}

function moveByArrows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.currentTarget instanceof Element)) return;
  const buttons: readonly (Element | null)[] = [...event.currentTarget.querySelectorAll('button.step')];
  const next = buttons[buttons.indexOf(document.activeElement) + step];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}
