import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOWER_IS_BETTER, METRICS } from '../../../lib/contracts/monitor.ts';
import { SIGNALS, VERDICTS } from '../../../lib/contracts/result.ts';
import { lowerIsBetter, metricName, metricValue, orderedMetrics } from '../../../lib/local/page/words/metrics.ts';
import {
  bytes,
  compact,
  count,
  effectText,
  latency,
  missingShare,
  number,
  plural,
  points,
  pValue,
  share,
  shortened,
  UNKNOWN,
} from '../../../lib/local/page/words/numbers.ts';
import { quarantineWords, sortedReasons } from '../../../lib/local/page/words/quarantine.ts';
import { escapeHtml, own, safeLink, visible, visibleLines, wellFormed } from '../../../lib/local/page/words/safe.ts';
import { effectStep, effectWord, signalHeadline, stateWords } from '../../../lib/local/page/words/states.ts';
import { NASTY } from './mock-data.ts';

const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('numbers', () => {
  it('reads as people write', () => {
    expect(number(0.81234)).toBe('0.812');
    expect(number(1234.5)).toBe('1,235');
    expect(number(1188.3, 4)).toBe('1,188');
    expect(number(0.00001234)).toBe('1.23e-5');
    expect(number(0)).toBe('0');
    expect(count(1234567)).toBe('1,234,567');
    expect(compact(12_345)).toBe('12.3K');
    expect(plain(latency(12.5))).toBe('12.5 ms');
    expect(plain(latency(1234))).toBe('1.23 s');
    expect(plain(bytes(268_435_456))).toBe('256 MiB');
    expect(pValue(2e-7)).toBe('< 0.0001');
    expect(effectText(0.004)).toBe('0');
    expect(effectText(0.123)).toBe('0.12');
    expect([effectText(1), effectText(51.8)]).toEqual(['1', '>1']);
    expect(plural(1, 'alert')).toBe('1 alert');
    expect(plural(1200, 'alert')).toBe('1,200 alerts');
  });

  it('says that nothing is known, never zero', () => {
    for (const write of [number, count, compact, share, latency, bytes, pValue, effectText])
      for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY])
        expect(write(value as number | null)).toBe(UNKNOWN);
  });

  it('never turns a little into nothing or nearly all into all', () => {
    expect(plain(share(0.9512))).toBe('95.1 %');
    expect(plain(share(0))).toBe('0 %');
    expect(plain(share(1))).toBe('100 %');
    expect(plain(share(0.00001))).toBe('< 0.1 %');
    expect(plain(share(0.99999))).toBe('> 99.9 %');
    expect(plain(points(-0.06))).toBe('−6 pp');
    expect(plain(points(0.111))).toBe('+11.1 pp');
  });

  it('takes missing rows as a share of all rows', () => {
    expect(missingShare(14_226, 771)).toBeCloseTo(0.0514, 4);
    expect(missingShare(0, 5)).toBe(1);
    expect(missingShare(0, 0)).toBeNull();
  });

  it('keeps both ends of a long name', () => {
    expect(shortened('short', 10)).toBe('short');
    expect(shortened(`${'a'.repeat(50)}END`, 12)).toMatch(/^a{8}…END$/);
    expect(Array.from(shortened('😀'.repeat(50), 10))).toHaveLength(10);
  });
});

describe('words of states', () => {
  it('knows every verdict and signal, and survives new ones', () => {
    for (const verdict of VERDICTS) expect(stateWords(verdict).meaning).not.toMatch(/does not know/);
    for (const signal of SIGNALS) expect(signalHeadline(signal)).not.toBe(signal);
    expect(stateWords('brand-new').word).toBe('brand-new');
    expect(stateWords('__proto__').word).toBe('__proto__');
    expect(stateWords('constructor').word).toBe('constructor');
  });

  it('steps effects as the glossary does', () => {
    expect([0, 0.05, 0.1, 0.3, 0.5].map(effectWord)).toEqual(['negligible', 'tiny', 'small', 'medium', 'large']);
    expect([0.049999, 0.0999, 0.2999, 0.4999].map(effectStep)).toEqual([0, 1, 2, 3]);
    expect(effectStep(null)).toBe(0);
  });
});

describe('metrics', () => {
  it('agrees with the contract on which are better lower', () => {
    for (const metric of new Set(Object.values(METRICS).flat()))
      expect([metric, lowerIsBetter(metric)]).toEqual([metric, LOWER_IS_BETTER.includes(metric)]);
  });

  it('has a name for every metric of the contract', () => {
    for (const metric of new Set(Object.values(METRICS).flat())) expect(metricName(metric)).toMatch(/[A-Z]/);
    expect(metricName('__proto__')).toBe('__proto__');
  });

  it('puts first what says most', () => {
    expect(orderedMetrics(['brier', 'roc-auc', 'accuracy', 'new'])).toEqual(['accuracy', 'roc-auc', 'brier', 'new']);
    expect(plain(metricValue('accuracy', 0.8123))).toBe('81.2 %');
    expect(metricValue('roc-auc', 0.74123)).toBe('0.741');
    expect(metricValue('roc-auc', null)).toBe(UNKNOWN);
  });
});

describe('quarantine', () => {
  it('lists what occurred, the commonest first', () => {
    expect(sortedReasons({ json: 1, schema: 9, future: 0 })).toEqual([
      ['schema', 9],
      ['json', 1],
    ]);
    expect(quarantineWords('unknown-model')).toBe('model nobody declared');
    expect(quarantineWords('toString')).toBe('toString');
  });
});

describe('text from data', () => {
  it('escapes so that markup is text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"'`]/);
        const back = escaped.replace(
          /&(amp|lt|gt|quot|#39|#96);/g,
          (_, entity: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#96': '`' })[entity] ?? '',
        );
        expect(back).toBe(text);
      }),
    );
  });

  it('reads own properties only', () => {
    const record = JSON.parse('{"a":1,"__proto__":2}') as Record<string, number>;
    expect(own(record, 'a')).toBe(1);
    expect(own(record, '__proto__')).toBe(2);
    expect(own(record, 'constructor')).toBeUndefined();
    expect(own({}, '__proto__')).toBeUndefined();
  });

  it('shows what is invisible or turns the direction', () => {
    expect(visible('rtl \u202Egnp.exe')).toBe('rtl \\u202egnp.exe');
    expect(visible('zero\u200Bwidth')).toBe('zero\\u200bwidth');
    expect(visible('a\u0000b')).toBe('a\\u0000b');
    expect(visible('  ')).toBe('“  ”');
    expect(visible('')).toBe('“”');
    expect(visible('مرحبا')).toBe('مرحبا');
    expect(visible('日本語')).toBe('日本語');
    expect(visibleLines('one\ntwo \u202E')).toBe('one\ntwo \\u202e');
  });

  it('keeps different names different', () => {
    expect(new Set(NASTY.map(visible)).size).toBe(NASTY.length);
  });

  it('makes every text well formed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(() => encodeURIComponent(wellFormed(text))).not.toThrow();
      }),
    );
    expect(wellFormed('a\ud800b😀')).toBe('a\ufffdb😀');
  });

  it('follows links to pages only', () => {
    expect(safeLink('/runbook#drift')).toBe('/runbook#drift');
    expect(safeLink('https://wiki.example/drift')).toBe('https://wiki.example/drift');
    for (const bad of [
      'javascript:alert(1)',
      ' JaVaScRiPt:alert(1)',
      'data:text/html,x',
      'java\nscript:alert(1)',
      'vbscript:x',
      '',
      null,
      undefined,
    ])
      expect(safeLink(bad)).toBeNull();
  });
});
