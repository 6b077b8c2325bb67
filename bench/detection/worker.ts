/** A worker process of the bench: answers one piece of work after another over the channel of its parent. */
import { perform, type Work } from './work.ts';

process.on('message', (work: Work) => {
  process.send?.(perform(work));
});
