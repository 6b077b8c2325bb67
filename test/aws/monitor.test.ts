import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Monitor } from '../../lib/aws/monitor.ts';
import { baselineText, monitorText } from './baseline.ts';
import { folderOf } from './environments.ts';

describe('a monitor of a file', () => {
  it('brings what its author wrote, and the baseline beside it', () => {
    const folder = folderOf({
      'late.yaml': monitorText('late', { baseline: { from: 'late.json' } }),
      'late.json': baselineText('late'),
    });
    const monitor = Monitor.fromFile(join(folder, 'late.yaml'));
    expect(monitor.model).toBe('late');
    expect(monitor.features).toEqual(['distance', 'origin']);
    expect(monitor.line.monitor).toEqual({
      model: 'late',
      features: { distance: { type: 'numeric' }, origin: { type: 'categorical' } },
      baseline: { from: 'late.json' },
    });
    expect(monitor.line.baseline).toEqual(JSON.parse(baselineText('late')));
    expect(monitor.declared.window.every).toBe('1d');
  });

  it('may name a baseline in the store, together with features', () => {
    const from = 'store:uploads/late.json';
    expect(
      Monitor.of({ model: 'late', features: { a: { type: 'numeric' } }, baseline: { from } }).line.baseline,
    ).toEqual({ key: 'uploads/late.json' });
    expect(() => Monitor.of({ model: 'late', baseline: { from } })).toThrow(
      /late: baseline.from: names an object that cannot be read at synthesis.*together with `features`/,
    );
  });

  it.each([
    ['data.csv', /late: baseline.from: is a data file.*run `mlmon profile data.csv --monitor/],
    ['data.parquet', /is a data file/],
    ['missing.json', /late: baseline.from: cannot be read: ENOENT/],
    ['store:capture/late.json', /may not read, got "store:capture\/late.json"; expected store:uploads\/<key>/],
  ])('refuses %s and says what to do', (from, message) => {
    expect(() => Monitor.of({ model: 'late', baseline: { from } })).toThrow(message);
  });

  it('may learn its baseline, but not of hashes', () => {
    const features = { a: { type: 'numeric' }, b: { type: 'categorical' } } as const;
    const { line } = Monitor.of({ model: 'late', features, baseline: { learn: '7d' } });
    expect(line.baseline).toBeNull();
    const hashed = { ...features, b: { type: 'categorical', policy: 'hash' } } as const;
    expect(() => Monitor.of({ model: 'late', features: hashed, baseline: { learn: '7d' } })).toThrow(
      /late: features.b.policy: a baseline with hashes is not learned on AWS/,
    );
  });

  it('refuses the baseline of another model, and what is none', () => {
    const folder = folderOf({
      'a.yaml': monitorText('late', { baseline: { from: 'a.json' } }),
      'a.json': baselineText('early'),
      'b.yaml': monitorText('other', { baseline: { from: 'b.json' } }),
      'b.json': '{"some":"thing"}',
    });
    expect(() => Monitor.fromFile(join(folder, 'a.yaml'))).toThrow(
      /is the baseline of another model, got "early"; expected late/,
    );
    expect(() => Monitor.fromFile(join(folder, 'b.yaml'))).toThrow(/is not a baseline, got other JSON/);
  });

  it('tells of a folder that is not there', () => {
    expect(() => Monitor.fromFolder('/nowhere')).toThrow(/^\/nowhere: cannot be read, got ENOENT; expected a folder/);
  });

  it('tells all problems of a folder at once, each with its file', () => {
    const folder = folderOf({
      'a.yaml': 'model: Late\nwindows: {}\n',
      'b.yaml': 'model: [',
      'c.yaml': monitorText('good'),
      'd.json': baselineText('good'),
    });
    const message = (() => {
      try {
        Monitor.fromFolder(folder);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toMatch(/a\.yaml: model: is not valid, got "Late"/);
    expect(message).toMatch(/a\.yaml: windows: unknown key.*did you mean window\?/);
    expect(message).toMatch(/b\.yaml: line/);
    expect(message).not.toMatch(/c\.yaml|d\.json/);
  });
});
