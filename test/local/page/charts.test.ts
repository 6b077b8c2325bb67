import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PerformanceView } from '../../../lib/contracts/api.ts';
import { VERDICTS } from '../../../lib/contracts/result.ts';
import { distributionOption, historyOption, historySpans } from '../../../lib/local/page/charts/feature-charts.ts';
import {
  cellAt,
  cellShape,
  cellWords,
  heatmapRows,
  spanned,
  xOf,
} from '../../../lib/local/page/charts/heatmap-model.ts';
import { coverageOption, maturityLines, metricOption, metricPoints } from '../../../lib/local/page/charts/metric.ts';
import type { Palette } from '../../../lib/local/page/charts/palette.ts';
import { lanes, spanAt, type Timeline } from '../../../lib/local/page/charts/timeline.ts';
import { tooltipMarkup } from '../../../lib/local/page/charts/tooltip.ts';
import { latencyOption, volumeOption } from '../../../lib/local/page/charts/traffic.ts';
import { DAY, featureOf, flights, NASTY, type Plan, performanceOf, windowsOf } from './mock-data.ts';

const colour = 'rgb(1, 2, 3)';
const palette: Palette = {
  text: colour,
  muted: colour,
  line: colour,
  surface: colour,
  accent: colour,
  accentSoft: colour,
  reference: colour,
  current: colour,
  critical: colour,
  warning: colour,
  info: colour,
  scripted: colour,
  states: Object.fromEntries(VERDICTS.map((verdict) => [verdict, colour])) as Palette['states'],
  quiet: [colour, colour, colour, colour, colour],
  drift: [colour, colour, colour, colour, colour],
};
const nastyPlan: Plan = {
  ...flights,
  features: NASTY.map((name) => ({ name, type: 'numeric', role: 'feature' })),
  to: flights.from + 40 * DAY,
};
const windows = spanned(windowsOf(nastyPlan, DAY));
const timeline: Timeline = {
  from: nastyPlan.from,
  to: nastyPlan.to,
  zone: 'UTC',
  bands: [{ from: nastyPlan.from, to: nastyPlan.from + DAY, kind: 'scripted', label: '<b>band</b>' }],
};

type Formatter = (params: unknown) => string;
const tooltipOf = (option: object, params: unknown): string =>
  ((option as { tooltip: { formatter: Formatter } }).tooltip.formatter as Formatter)(params);

describe('heatmap', () => {
  it('finds every feature under its own name, and nothing under the names of objects', () => {
    const rows = heatmapRows(windows, nastyPlan.features, 'declared', '');
    expect(rows.map(({ name }) => name)).toEqual(NASTY);
    for (const row of rows) expect(row.cells.every((cell) => typeof cell?.summary === 'string')).toBe(true);
    const absent = heatmapRows(
      spanned(windowsOf({ ...flights, to: flights.from + 2 * DAY }, DAY)),
      [
        { name: '__proto__', role: 'feature' },
        { name: 'toString', role: 'feature' },
      ],
      'declared',
      '',
    );
    for (const row of absent) expect(row.cells.every((cell) => cell === undefined)).toBe(true);
    expect(cellWords(undefined)).toBe('not in this window');
  });

  it('orders by urgency and filters by name', () => {
    const plan = { ...flights, to: flights.incident!.end };
    const rows = heatmapRows(spanned(windowsOf(plan, DAY)), plan.features, 'changed', '');
    expect(
      rows
        .slice(0, 2)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['distance', 'origin']);
    expect(heatmapRows(windows, nastyPlan.features, 'changed', 'PROTO').map(({ name }) => name)).toEqual(['__proto__']);
  });

  it('tells every state by its shape alone', () => {
    expect(new Set(VERDICTS.map(cellShape)).size).toBe(VERDICTS.length);
    expect(cellShape('unheard-of')).toBe('dot');
    expect(cellShape('constructor')).toBe('dot');
  });

  it('finds under the pointer the cell that was drawn there', () => {
    const geometry = { from: timeline.from, to: timeline.to, width: 777, rowHeight: 26 };
    fc.assert(
      fc.property(
        fc.nat(windows.length - 1),
        fc.nat(9),
        fc.double({ min: 0.01, max: 0.98, noNaN: true }),
        (w, row, part) => {
          const left = xOf(windows[w]!.from, geometry);
          const right = xOf(windows[w]!.to, geometry);
          expect(cellAt(left + (right - left) * part, (row + part) * 26, windows, 10, geometry)).toEqual({
            row,
            window: w,
          });
        },
      ),
    );
    expect(cellAt(-1, 5, windows, 10, geometry)).toBeNull();
    expect(cellAt(5, 26 * 10 + 1, windows, 10, geometry)).toBeNull();
  });

  it('leaves out windows without readable times', () => {
    const good = windowsOf({ ...flights, to: flights.from + DAY }, DAY)[0]!;
    expect(spanned([{ ...good, start: 'never' }, good, { ...good, end: good.start }])).toHaveLength(1);
  });
});

describe('lanes', () => {
  it('keep bands apart and lose none', () => {
    const band = fc.tuple(fc.nat(1000), fc.integer({ min: 1, max: 200 })).map(([from, n]) => ({ from, to: from + n }));
    fc.assert(
      fc.property(fc.array(band, { maxLength: 40 }), fc.nat(60), (bands, least) => {
        const packed = lanes(bands, least);
        expect(packed.flat()).toHaveLength(bands.length);
        for (const lane of packed)
          for (let i = 1; i < lane.length; i++) {
            const before = lane[i - 1]!;
            expect(lane[i]!.from).toBeGreaterThanOrEqual(Math.max(before.to, before.from + least));
          }
      }),
    );
  });
});

describe('spans', () => {
  it('are found by any time within', () => {
    for (const window of windows) expect(spanAt(windows, window.from + 1, (one) => one.from)).toBe(window);
    expect(spanAt(windows, 0, (one) => one.from)).toBe(windows[0]);
    expect(spanAt(windows, Number.MAX_SAFE_INTEGER, (one) => one.from)).toBe(windows.at(-1));
    expect(spanAt([], 5, () => 0)).toBeUndefined();
  });
});

describe('metrics', () => {
  const views = performanceOf(flights, DAY);
  const points = metricPoints(views, 'accuracy');

  it('draws what waits for labels apart from what does not, and lets the two meet', () => {
    const { mature, immature } = maturityLines(points);
    const firstImmature = points.findIndex((point) => !point.mature);
    expect(firstImmature).toBeGreaterThan(0);
    points.forEach((point, i) => {
      expect(mature[i]![1]).toBe(point.mature ? point.result.value : null);
      if (!point.mature) expect(immature[i]![1]).toBe(point.result.value);
    });
    expect(immature[firstImmature - 1]![1]).toBe(points[firstImmature - 1]!.result.value);
    expect(immature[firstImmature - 2]![1]).toBeNull();
  });

  it('says value, interval, limit and labels at a time', () => {
    const option = metricOption('accuracy', points, timeline, palette, 800);
    const text = tooltipOf(option, [{ axisValue: points[3]!.from + 1 }]);
    for (const words of ['value', '95 % interval', 'limit, at least', 'labels arrived', 'Sun, 4 Feb 2001'])
      expect(text).toContain(words);
    expect(tooltipOf(option, [])).toBe('');
  });

  it('escapes what a metric is called and why it has no number', () => {
    const view: PerformanceView = {
      ...views[0]!,
      metrics: [{ ...views[0]!.metrics[0]!, metric: '<i>', value: null, interval: null, reason: '<img src=x>' }],
    };
    const nasty = metricPoints([view], '<i>');
    const text = tooltipOf(metricOption('<i>', nasty, timeline, palette, 800), { axisValue: nasty[0]!.from });
    expect(text).not.toContain('<i>');
    expect(text).not.toContain('<img');
    expect(text).toContain('&lt;img src=x&gt;');
  });

  it('builds coverage, volume and latency for no window at all', () => {
    for (const build of [
      () => coverageOption([], timeline, palette, 300),
      () => volumeOption([], timeline, palette, 300),
      () => latencyOption([], timeline, palette, 300),
    ])
      expect(tooltipOf(build(), [{ axisValue: 5 }])).toBe('');
  });
});

describe('tooltips', () => {
  it('hold nothing from data but text', () => {
    for (const name of NASTY) {
      const markup = tooltipMarkup(name, name, [{ label: name, value: name }], name);
      expect(markup.replace(/<\/?(?:div|span|strong)(?: class="[a-z-]+")?>/g, '')).not.toMatch(/[<>]/);
    }
  });

  it('escape the summaries of volume and latency', () => {
    const item = { ...windows[0]!.item };
    const evil = [
      {
        ...windows[0]!,
        item: {
          ...item,
          volume: { ...item.volume!, summary: '<x-y>' },
          latency: { ...item.latency!, summary: '<x-y>' },
        },
      },
    ];
    for (const build of [volumeOption, latencyOption])
      expect(tooltipOf(build(evil, timeline, palette, 300), [{ axisValue: evil[0]!.from }])).toContain('&lt;x-y&gt;');
  });
});

describe('one feature', () => {
  const answer = featureOf(flights, 'origin', windowsOf(flights, DAY), null)!;

  it('draws names down the page and numbers along it', () => {
    const bins = answer.distribution!.bins;
    expect(distributionOption(bins, true, palette)).toMatchObject({
      yAxis: { type: 'category' },
      xAxis: { type: 'value' },
    });
    expect(distributionOption(bins, false, palette)).toMatchObject({ xAxis: { type: 'category' } });
    const at = bins.findIndex(({ label }) => label === '<b>bold</b>');
    expect(tooltipOf(distributionOption(bins, true, palette), [{ dataIndex: at }])).toContain(
      '&lt;b&gt;bold&lt;/b&gt;',
    );
    expect(tooltipOf(distributionOption(bins, true, palette), [{ dataIndex: 999 }])).toBe('');
  });

  it('gives every window of the history its span, gaps left open', () => {
    const at = (n: number): string => new Date(n * DAY).toISOString();
    const point = { status: 'ok' as const, effect: 0, missing: 0, mean: 1, std: 1 };
    const spans = historySpans(
      [5, 1, 2].map((n) => ({ ...point, start: at(n) })),
      DAY,
    );
    expect(spans.map(({ from, to }) => [from / DAY, to / DAY])).toEqual([
      [1, 2],
      [2, 3],
      [5, 6],
    ]);
    expect(historySpans([{ ...point, start: at(1) }], 7 * DAY)[0]!.to).toBe(8 * DAY);
    expect(historySpans([{ ...point, start: 'never' }], DAY)).toEqual([]);
  });

  it('builds each history', () => {
    const history = historySpans(answer.history, DAY);
    for (const kind of ['effect', 'missing', 'mean'] as const) {
      const option = historyOption(kind, history, timeline, palette, 600);
      expect(tooltipOf(option, [{ axisValue: history[4]!.from + 5 }])).toContain('state');
    }
  });
});
