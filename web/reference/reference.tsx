/** The page `/api`: every address of REST, drawn from the OpenAPI document of this very server. */
import { effect, signal } from '@preact/signals';
import { render } from 'preact';
import { Copyable, Loading, Trouble, Words } from '../console/parts.tsx';
import { get, Problem } from '../console/rest.ts';
import { access } from '../console/session.ts';
import { SignIn } from '../console/sign-in.tsx';
import { startTheme, ThemeButton } from '../console/theme.tsx';
import { element } from '../shared/dom.ts';
import { type Body, curlOf, type Entry, fieldsOf, groupsOf, type OpenapiDocument, typeOf } from './document.ts';

const openapi = signal<OpenapiDocument | undefined>(undefined);
const failed = signal<string | undefined>(undefined);

function load(): void {
  get<OpenapiDocument>('/api/v1/openapi.json').then(
    (found) => {
      openapi.value = found;
      failed.value = undefined;
      requestAnimationFrame(() => document.getElementById(location.hash.slice(1))?.scrollIntoView());
    },
    (thrown: unknown) => {
      failed.value = thrown instanceof Problem ? thrown.message : 'The answer of Viaduct cannot be read.';
    },
  );
}

function Page() {
  const allowed = access.value;
  if (allowed.at !== 'open') return <SignIn access={allowed} />;
  const found = openapi.value;
  const groups = found === undefined ? [] : groupsOf(found);
  return (
    <>
      <header class="site">
        <a class="brand" href="/">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Viaduct
        </a>
        <ThemeButton />
      </header>
      <div class="reference">
        <nav aria-label="Addresses">
          {groups.map(({ name, entries }) => (
            <div key={name}>
              <b>{name}</b>
              {entries.map(({ anchor, method, path }) => (
                <a key={anchor} href={`#${anchor}`}>
                  <Method name={method} /> <span>{path.replace('/api/v1', '')}</span>
                </a>
              ))}
            </div>
          ))}
        </nav>
        <main id="main">
          <h1>REST</h1>
          {failed.value !== undefined && <Trouble>{failed.value}</Trouble>}
          {found === undefined && failed.value === undefined && <Loading />}
          {found !== undefined && <Introduction text={found.info.description} />}
          {groups.flatMap(({ entries }) => entries.map((entry) => <EntryCard key={entry.anchor} entry={entry} />))}
        </main>
      </div>
    </>
  );
}

function Introduction({ text }: { readonly text: string }) {
  return (
    <>
      <p>
        <Words text={text} />
      </p>
      <p class="soft">
        For programs: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a>, an OpenAPI 3.1 document.
      </p>
    </>
  );
}

function Method({ name }: { readonly name: string }) {
  return (
    <span class="method" data-method={name}>
      {name.toUpperCase()}
    </span>
  );
}

function EntryCard({ entry }: { readonly entry: Entry }) {
  const { method, path, anchor, operation } = entry;
  const curl = curlOf(entry, location.origin);
  return (
    <section class="card" id={anchor} aria-label={`${method.toUpperCase()} ${path}`}>
      <header>
        <h2>
          <Method name={method} /> <code>{path}</code>
        </h2>
        <span class="note">{operation.security.length === 0 ? 'open to everyone' : 'wants the token'}</span>
      </header>
      {operation.summary !== undefined && <p>{operation.summary}.</p>}
      <Parameters entry={entry} />
      {operation.requestBody !== undefined && <BodyView title="It takes" body={operation.requestBody} />}
      {Object.entries(operation.responses)
        .filter(([status]) => status !== 'default')
        .map(([status, body]) => (
          <BodyView key={status} title={`It answers ${status}`} body={body} />
        ))}
      <h3>Try it</h3>
      <pre>{curl}</pre>
      <Copyable text={curl} label="command" quiet />
    </section>
  );
}

function Parameters({ entry: { operation } }: { readonly entry: Entry }) {
  const { parameters = [] } = operation;
  if (parameters.length === 0) return null;
  return (
    <>
      <h3>Parameters</h3>
      <dl>
        {parameters.map(({ name, in: where, required, schema }) => (
          <Row
            key={name}
            name={name}
            text={[
              typeOf(schema),
              where === 'path' ? 'in the path' : required ? 'required' : 'optional',
              schema.default === undefined ? '' : `else ${String(schema.default)}`,
            ]}
          />
        ))}
      </dl>
    </>
  );
}

function BodyView({ title, body }: { readonly title: string; readonly body: Body }) {
  const [media] = Object.entries(body.content ?? {});
  const [type, { schema, example }] = media ?? ['', { schema: {}, example: undefined }];
  const fields = fieldsOf(schema);
  if (fields.length === 0 && example === undefined) return null;
  return (
    <details>
      <summary>
        <b>{title}</b> <span class="soft">{type}</span>
      </summary>
      <dl>
        {fields.map(({ name, type: fieldType, required, description }) => (
          <Row key={name} name={name} text={[fieldType, required ? '' : 'optional', description]} />
        ))}
      </dl>
      <pre>{JSON.stringify(example, null, 2)}</pre>
    </details>
  );
}

function Row({ name, text }: { readonly name: string; readonly text: readonly string[] }) {
  return (
    <>
      <dt>
        <code>{name}</code>
      </dt>
      <dd>{text.filter((part) => part !== '').join(', ')}</dd>
    </>
  );
}

startTheme();
effect(() => {
  if (access.value.at === 'open') load();
});
render(<Page />, element('reference', HTMLElement));
