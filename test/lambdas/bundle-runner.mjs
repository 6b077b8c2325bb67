/**
 * Runs one bundled function as Lambda would, on any Node.js: an invocation a line on standard input, its outcome a line on file
 * descriptor 3. The time that an invocation names is what Date.now says meanwhile. Plain JavaScript, so that nothing but Node.js is needed.
 */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const wallClock = Date.now;
let now = null;
Date.now = () => now ?? wallClock();
const say = (line) => writeSync(3, `${JSON.stringify(line)}\n`);

const began = performance.now();
const before = process.cpuUsage();
/** Milliseconds of processor time since a reading. */
const cpuMs = (since) => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
};
let handler;
try {
  ({ handler } = await import(pathToFileURL(process.argv[2]).href));
} catch (error) {
  say({ failed: `${error?.stack ?? error}` });
  process.exit(1);
}
say({
  loadedMs: performance.now() - began,
  loadedCpuMs: cpuMs(before),
  handler: typeof handler,
  node: process.versions.node,
});

for await (const line of createInterface({ input: process.stdin })) {
  const { event, at, timeoutMs } = JSON.parse(line);
  now = at;
  const start = performance.now();
  const cpu = process.cpuUsage();
  const context = {
    awsRequestId: `request-${start}`,
    functionName: 'bundle',
    getRemainingTimeInMillis: () => Math.max(0, timeoutMs - (performance.now() - start)),
  };
  try {
    const value = await handler(event, context);
    say({ value: value ?? null, ms: performance.now() - start, cpuMs: cpuMs(cpu) });
  } catch (error) {
    say({ error: `${error?.name}: ${error?.message}`, ms: performance.now() - start });
  }
}
process.exit(0);
