/**
 * A list as a table where there is room, and as cards on a narrow screen (CSS alone). It filters what is loaded; rows
 * that have a page are links, and the arrow keys go from one to the next.
 */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon } from './icons.tsx';
import { counted } from './words.ts';

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ComponentChildren;
  /** Heads the card on a narrow screen. */
  readonly main?: boolean;
  /** Takes the whole width of a card. */
  readonly long?: boolean;
  /** Numbers and times stand at the end. */
  readonly end?: boolean;
}

/** So few rows need no filter. */
const AT_A_GLANCE = 5;

interface TableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly textOf: (row: T) => string;
  readonly hrefOf?: (row: T) => string;
  readonly more: (() => void) | undefined;
  readonly empty: ComponentChildren;
}

export function Table<T>({ label, rows, columns, keyOf, textOf, hrefOf, more, empty }: TableProps<T>) {
  const [wanted, setWanted] = useState('');
  const shown = rows.filter((row) => textOf(row).toLowerCase().includes(wanted.trim().toLowerCase()));
  if (rows.length === 0) return <div class="card">{empty}</div>;
  return (
    <section class="list" aria-label={label}>
      {(rows.length > AT_A_GLANCE || wanted !== '') && (
        <Find wanted={wanted} want={setWanted} shown={shown.length} of={rows.length} />
      )}
      {shown.length === 0 ? (
        <p class="soft nothing">Nothing here matches “{wanted}”.</p>
      ) : (
        <div class="table-box">
          <table>
            <thead>
              <tr>
                {columns.map(({ name, end }) => (
                  <th key={name} scope="col" class={end ? 'end' : ''}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody onKeyDown={moveByArrows}>
              {shown.map((row) => (
                <Row key={keyOf(row)} row={row} columns={columns} href={hrefOf?.(row)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more !== undefined && (
        <button type="button" class="chip" onClick={more}>
          Show more
        </button>
      )}
    </section>
  );
}

interface FindProps {
  readonly wanted: string;
  readonly want: (text: string) => void;
  readonly shown: number;
  readonly of: number;
}

function Find({ wanted, want, shown, of }: FindProps) {
  return (
    <div class="list-head">
      <label class="find">
        <Icon name="search" />
        <span class="sr-only">Filter</span>
        <input
          type="search"
          placeholder="Filter"
          spellcheck={false}
          value={wanted}
          data-shortcut="/"
          onInput={(event) => want(event.currentTarget.value)}
        />
      </label>
      <output class="soft">{wanted === '' ? counted(of, 'entry', 'entries') : `${shown} of ${of}`}</output>
    </div>
  );
}

/** The first main cell holds the link; CSS stretches it over the row, so that the row has one name and one focus. */
function Row<T>({
  row,
  columns,
  href,
}: {
  readonly row: T;
  readonly columns: readonly Column<T>[];
  readonly href: string | undefined;
}) {
  const linked = columns.findIndex(({ main }) => main);
  return (
    <tr data-linked={href !== undefined}>
      {columns.map(({ name, cell, main, end, long }, index) => (
        <td key={name} data-name={name} class={`${main ? 'main' : ''} ${end ? 'end' : ''} ${long ? 'long' : ''}`}>
          {index === linked && href !== undefined ? (
            <a class="whole" href={href}>
              {cell(row)}
            </a>
          ) : (
            cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}

function moveByArrows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.currentTarget instanceof Element)) return;
  const links: readonly (Element | null)[] = [...event.currentTarget.querySelectorAll('a.whole')];
  const next = links[links.indexOf(document.activeElement) + step];
  if (!(next instanceof HTMLElement)) return;
  event.preventDefault();
  next.focus();
}
