/** What changed in the span of an episode and may explain it: monitors and baselines that took effect. */
import type { Registry } from './registry.ts';

export function changeContext(registry: Registry, model: string, from: number, to: number): string[] {
  const timeline = registry.timeline(model);
  if (timeline === null) return [];
  const within = (time: string | null): boolean => time !== null && Date.parse(time) >= from && Date.parse(time) <= to;
  return [
    ...timeline.monitors
      .filter(({ n, effectiveFrom }) => n > 1 && within(effectiveFrom))
      .map(({ n, effectiveFrom, by }) => `monitor ${n} took effect at ${effectiveFrom} (by ${by})`),
    ...[...timeline.baselines.values()]
      .flat()
      .filter(({ n, effectiveFrom }) => n > 1 && within(effectiveFrom))
      .map(({ version, n, effectiveFrom }) => `baseline ${n} of version ${version} took effect at ${effectiveFrom}`),
  ];
}
