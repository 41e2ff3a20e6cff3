/** What is wrong with this installation, each with its cure: asked for when the view is opened, and again on demand. */
import { signal } from '@preact/signals';
import { useAnswer } from '../answer.ts';
import type { Diagnosis } from '../answers.ts';
import { Icon } from '../icons.tsx';
import { Card, Loading, Trouble, Words } from '../parts.tsx';

/** Not at each turn of the live numbers: an examination sends canaries to each rtpengine. */
const examination = signal(0);

export function Doctor() {
  const { value, failed } = useAnswer<Diagnosis>('/api/v1/doctor', examination);
  if (value === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed.message}</Trouble>;
  return (
    <>
      <div class="diagnosis">
        <p role="status">{sumOf(value.findings)}</p>
        <button
          type="button"
          class="chip"
          onClick={() => {
            examination.value += 1;
          }}
        >
          Examine again
        </button>
      </div>
      {value.findings.length === 0 && <p class="soft">Nothing was found.</p>}
      {worstFirst(value.findings).map((finding) => (
        <FindingView key={`${finding.check} ${finding.says}`} finding={finding} />
      ))}
      <Well findings={value.findings.filter(({ level }) => level === 'ok')} />
    </>
  );
}

const levels = ['error', 'warning', 'notice', 'ok'] as const;

function worstFirst(findings: Diagnosis['findings']): Diagnosis['findings'] {
  return levels.flatMap((wanted) => findings.filter(({ level }) => level === wanted && level !== 'ok'));
}

/** `1 error, 2 warnings, 9 checks are well` */
function sumOf(findings: Diagnosis['findings']): string {
  const [errors = 0, warnings = 0, notices = 0, well = 0] = levels.map(
    (wanted) => findings.filter(({ level }) => level === wanted).length,
  );
  const bad = [plural(errors, 'error'), plural(warnings, 'warning'), plural(notices, 'notice')].flat();
  return [...bad, `${well} ${well === 1 ? 'check is' : 'checks are'} well`].join(', ');
}

function plural(times: number, word: string): readonly string[] {
  return times === 0 ? [] : [`${times} ${word}${times === 1 ? '' : 's'}`];
}

function FindingView({ finding: { check, level, says, cure } }: { readonly finding: Diagnosis['findings'][number] }) {
  return (
    <section class="verdict card" data-level={level} aria-label={`${check}: ${says}`}>
      <Icon name={level === 'notice' ? 'note' : 'alert'} />
      <div>
        <h2>{says}</h2>
        {cure !== '' && (
          <p>
            <Words text={cure} />
          </p>
        )}
      </div>
      <small class="soft">{check}</small>
    </section>
  );
}

/** What is well is read last, and needs no shouting. */
function Well({ findings }: { readonly findings: Diagnosis['findings'] }) {
  if (findings.length === 0) return null;
  return (
    <Card title="What is well">
      <ul class="rows well">
        {findings.map(({ check, says }) => (
          <li key={`${check} ${says}`}>
            <span class="row">
              <Icon name="good" />
              <span>{says}</span>
              <small class="soft check">{check}</small>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
