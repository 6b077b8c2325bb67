/** Errors of YAML as people read them: by line, in their own words, all of a file. */
import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { yamlProblems } from '../../lib/contracts/yaml-problems.ts';

const problemsOf = (text: string, place: string) =>
  yamlProblems(parseDocument(text, { prettyErrors: true }).errors, place);

describe('a file that is no YAML', () => {
  it('is told by line, with the file where it is known, and without the text of the file', () => {
    const [one, ...more] = problemsOf('model: churn\nsecret: "abc\n', 'churn.yaml');
    expect(more).toEqual([]);
    expect(one).toMatchObject({ code: 'yaml', expected: 'YAML or JSON' });
    expect(one?.path).toMatch(/^churn\.yaml: line \d$/);
    expect(one?.message).not.toContain('abc');
    expect(one?.message).not.toMatch(/line \d/);
    expect(problemsOf('a: [', '')[0]?.path).toMatch(/^line \d$/);
  });

  it('is told all at once', () => {
    expect(problemsOf('a: "\\q"\nb: "\\q"\n', 'f').map(({ path }) => path)).toEqual(['f: line 1', 'f: line 2']);
  });

  it('is told to be two, where it is two documents', () => {
    expect(problemsOf('a: 1\n---\nb: 2\n', 'f')).toMatchObject([
      { message: 'begins another document', expected: 'one document', fix: 'put each into a file of its own' },
    ]);
  });

  it('has no problems where it is', () => {
    expect(problemsOf('{ "a": 1 }', 'f')).toEqual([]);
  });
});
