import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { PublishedBindings, parseBindings, rightsOf, roleName } from '../../lib/pipeline/sender-rights.ts';

const events = (...models: string[]) => ({ events: models, labels: [] });

describe('the rights of a sender', () => {
  it('are those of its role, whatever its path and the name of its session', () => {
    const role = 'arn:aws:iam::111122223333:role/scoring';
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 }),
        fc.stringMatching(/^[A-Za-z0-9@=,.-]{1,20}$/),
        (path, session) => {
          const bound = `arn:aws:iam::111122223333:role/${[...path, 'scoring'].join('/')}`;
          const caller = `arn:aws:sts::111122223333:assumed-role/scoring/${session}`;
          expect(roleName(bound)).toBe(role);
          expect(roleName(caller)).toBe(role);
          expect(rightsOf({ [bound]: events('m') }, caller).mayInfer('m')).toBe(true);
        },
      ),
    );
    const other = { [role]: events('m') };
    for (const caller of [
      'arn:aws:sts::999999999999:assumed-role/scoring/s',
      'arn:aws-cn:sts::111122223333:assumed-role/scoring/s',
      'arn:aws:sts::111122223333:assumed-role/scoring2/s',
      'arn:aws:iam::111122223333:user/scoring',
      'arn:aws:sts::111122223333:federated-user/scoring',
      '',
    ])
      expect(rightsOf(other, caller).mayInfer('m')).toBe(false);
  });

  it('add up over what names it, and a star stands for the end of a name alone', () => {
    const bindings = {
      'arn:aws:iam::111122223333:role/team-*': events('a'),
      'arn:aws:iam::111122223333:role/team-x': { events: [], labels: ['b'] },
      'arn:aws:iam::111122223333:role/path/*': events('secret'),
      'key-*': events('*'),
    };
    const rights = rightsOf(bindings, 'arn:aws:sts::111122223333:assumed-role/team-x/s');
    expect([rights.mayInfer('a'), rights.mayLabel('b'), rights.mayInfer('b'), rights.knows('b')]).toEqual([
      true,
      true,
      false,
      true,
    ]);
    // With the path cut off, the star would stand for every role.
    expect(rights.mayInfer('secret')).toBe(false);
    expect(rightsOf(bindings, 'key-7').mayInfer('anything')).toBe(true);
    expect(rightsOf(bindings, 'ke').infersNothing).toBe(true);
  });

  it('are read again when they are old, and a damaged object grants and takes nothing silently', async () => {
    const store = new MemoryStore();
    let now = 0;
    const bindings = new PublishedBindings({ store, key: 'b.json', cacheMs: 1_000, now: () => now });
    expect((await bindings.rightsOf('me')).infersNothing).toBe(true);
    const etag = await store.putIfAbsent('b.json', Buffer.from(JSON.stringify({ me: events('m') })));
    expect((await bindings.rightsOf('me')).mayInfer('m')).toBe(false);
    now = 1_000;
    expect((await bindings.rightsOf('me')).mayInfer('m')).toBe(true);
    await store.putIfUnchanged('b.json', Buffer.from('{"me":{"events":"m"}}'), etag);
    now = 2_000;
    await expect(bindings.rightsOf('me')).rejects.toThrow(/b\.json: is no object of principals/);
    for (const text of ['', 'null', '[]', '{"me":null}', '{"me":{"events":[1],"labels":[]}}'])
      expect(() => parseBindings(text, 'b')).toThrow(/deploy again/);
  });
});
