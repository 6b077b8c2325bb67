/**
 * What the package offers to programs: `import … from 'ml-monitoring-constructs/contracts'`. Covered by semantic
 * versioning. Inside the project, files are imported by their own names.
 */
export * from './api.ts';
export * from './baseline.ts';
export * from './capture.ts';
export * from './duration.ts';
export * from './episode.ts';
export * from './event.ts';
export * from './learning.ts';
export * from './maintenance.ts';
export * from './metric-names.ts';
export * from './monitor.ts';
/** Paths in the object store; under one name, since theirs are general words. */
export * as objectKeys from './object-keys.ts';
export * from './outgoing-events.ts';
export { formatProblem, type Problem, ProblemError } from './problem.ts';
export * from './result.ts';
export { version } from './version.ts';
