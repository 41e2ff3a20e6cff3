/** What is wrong with this installation, each with its cure: asked for when the view is opened, and again on demand. */
import { signal } from '@preact/signals';
import { useAnswer } from '../answer.ts';
import type { Diagnosis } from '../answers.ts';
import { Icon } from '../icons.tsx';
import { Loading, Trouble, Words } from '../parts.tsx';

/** Not at each turn of the live numbers: an examination sends canaries to each rtpengine. */
const examination = signal(0);

export function Doctor() {
  const { value, failed } = useAnswer<Diagnosis>('/api/v1/doctor', examination);
  if (value === undefined) return failed === undefined ? <Loading /> : <Trouble>{failed.message}</Trouble>;
  return (
    <>
      <button
        type="button"
        class="chip again"
        onClick={() => {
          examination.value += 1;
        }}
      >
        Examine again
      </button>
      {value.findings.length === 0 && <p class="soft">Nothing was found.</p>}
      {value.findings.map((finding) => (
        <FindingView key={`${finding.check} ${finding.says}`} finding={finding} />
      ))}
    </>
  );
}

function FindingView({ finding: { check, level, says, cure } }: { readonly finding: Diagnosis['findings'][number] }) {
  return (
    <section class="verdict card" data-level={level} aria-label={`${check}: ${says}`}>
      <Icon name={level === 'ok' ? 'good' : 'alert'} />
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
