/** How far the baseline of a model is learned. */
import type { VNode } from 'preact';
import type { LearningView } from '../../../contracts/learning.ts';
import { share } from '../words/numbers.ts';
import { Said, When } from './words.tsx';

export function Learning({ learning, zone }: { readonly learning: LearningView; readonly zone: string }): VNode {
  const { from, due, until, progress, held } = learning;
  return (
    <section class="card" aria-labelledby="learning">
      <h2 id="learning">Learning the baseline</h2>
      <div class="progress learning-progress">
        <progress max={1} value={progress} aria-label="Days of learning that are over" />
        <span>{share(progress)}</span>
      </div>
      {from === null ? (
        <p class="sub">It begins with the first event.</p>
      ) : (
        <p class="sub">
          From the windows between <When at={from} zone={zone} /> and{' '}
          <When at={held === null ? due : until} zone={zone} />, less those that stand out. Wrong types, unknown
          features and latency alert all the same; nothing else is judged until then.
        </p>
      )}
      {held === null ? null : (
        <p class="reason-line">
          <Said text={held} />
        </p>
      )}
    </section>
  );
}
