import { afterEach, describe, expect, it } from 'vitest';
import { AlertmanagerChannel, alertOf } from '../../../lib/adapters/alertmanager/alertmanager-channel.ts';
import { TransientError } from '../../../lib/pipeline/ports.ts';
import { closing, type Listener, listen, NASTY, transitionOf } from '../transitions.ts';

const NOW = Date.parse('2001-03-02T02:00:00Z');
const wall = { now: () => NOW };
const listeners: Listener[] = [];
afterEach(() => {
  for (const one of listeners.splice(0)) one.close();
});
async function listening(...answers: Parameters<typeof listen>): Promise<Listener> {
  const one = await listen(...answers);
  listeners.push(one);
  return one;
}

describe('an episode as an alert', () => {
  it('has labels for routes, and links', () => {
    expect(
      alertOf(transitionOf(), NOW, { dashboards: 'https://grafana.example.org/', labels: { cluster: 'west' } }),
    ).toEqual({
      labels: {
        cluster: 'west',
        alertname: 'MlmonDrift',
        model: 'm',
        version: '1',
        signal: 'drift',
        severity: 'warning',
        owner: 'team',
        notify: 'true',
      },
      annotations: {
        summary: 'Drift on m 1',
        description: expect.stringContaining('distance: mean up by 0.7'),
        episode: 'e1',
        runbook_url: 'https://example.org/runbook#drift',
        dashboard_url: `https://grafana.example.org/d/mlmon-feature/feature?var-model=m&var-feature=distance&from=${Date.parse('2001-02-24')}&to=now`,
      },
      startsAt: '2001-03-02T00:00:00.000Z',
      endsAt: '2001-03-02T02:05:00.000Z',
      generatorURL: 'https://example.org/#/models/m',
    });
  });

  it('is the same alert until it is over, and then over at once', () => {
    const opened = alertOf(transitionOf(), NOW);
    const closed = alertOf(closing(), NOW + 60_000);
    expect(closed.labels).toEqual(opened.labels);
    expect(closed.startsAt).toBe(opened.startsAt);
    expect(closed.endsAt).toBe(new Date(NOW + 60_000).toISOString());
    expect(Date.parse(opened.endsAt)).toBeGreaterThan(NOW);
  });

  it('is over when it is taken back, and open when a revision opens it again', () => {
    const taken = transitionOf({ kind: 'corrected' }, { closed: '2001-03-03T00:00:00.000Z' });
    expect(Date.parse(alertOf(taken, NOW).endsAt)).toBe(NOW);
    expect(Date.parse(alertOf(transitionOf({ kind: 'corrected' }), NOW).endsAt)).toBeGreaterThan(NOW);
  });

  it('never begins in the future, as a replay may be ahead of the clock', () => {
    const { startsAt, endsAt } = alertOf(transitionOf({}, { opened: '2040-01-01T00:00:00.000Z' }), NOW);
    expect(Date.parse(startsAt)).toBeLessThan(NOW);
    expect(Date.parse(endsAt)).toBeGreaterThan(NOW);
  });

  it('carries any text, encoded where it is an address', () => {
    const features = [
      { name: 'a/b & c', aspect: null, effect: null, summary: NASTY, since: '2001-03-01T00:00:00.000Z' },
    ];
    const alert = alertOf(transitionOf({}, { features, summary: NASTY }), NOW, { dashboards: 'https://g.example.org' });
    expect(alert.annotations['dashboard_url']).toContain('var-feature=a%2Fb%20%26%20c&');
    expect(() => JSON.parse(JSON.stringify(alert))).not.toThrow();
  });
});

describe('the channel', () => {
  it('posts to every member, and is content with one', async () => {
    const up = await listening({ status: 200 });
    const down = await listening({ status: 503 });
    const channel = new AlertmanagerChannel({ urls: [`${down.url}/`, up.url], wall });
    await channel.deliver(transitionOf());
    expect(up.got.map(({ path }) => path)).toEqual(['/api/v2/alerts']);
    expect(down.got).toHaveLength(1);
    expect(JSON.parse(up.got[0]!.body)).toEqual([alertOf(transitionOf(), NOW)]);
  });

  it('keeps the path that it is reached under', async () => {
    const one = await listening({ status: 200 });
    await new AlertmanagerChannel({ urls: [`${one.url}/alertmanager`], wall }).deliver(transitionOf());
    expect(one.got[0]?.path).toBe('/alertmanager/api/v2/alerts');
  });

  it('tries again what may pass, and gives up what is refused, without showing the address', async () => {
    const away = await listening({ status: 503, body: 'later' });
    const refusing = await listening({ status: 400, body: 'bad labels' });
    const failure = async (url: string) =>
      new AlertmanagerChannel({ urls: [url], wall }).deliver(transitionOf()).catch((error: unknown) => error as Error);
    expect(await failure(away.url)).toBeInstanceOf(TransientError);
    const refused = (await failure(refusing.url)) as Error;
    expect(refused).not.toBeInstanceOf(TransientError);
    expect(refused.message).toBe('alertmanager: answered 400 "bad labels"');
    expect(await failure('http://user:secret@127.0.0.1:1')).toBeInstanceOf(TransientError);
    expect(((await failure('http://user:secret@127.0.0.1:1')) as Error).message).not.toContain('secret');
  });

  it('says who it is: a name and password, or a token', async () => {
    const one = await listening({ status: 200 });
    await new AlertmanagerChannel({ urls: [one.url], basic: { username: 'u', password: 'p' }, wall }).deliver(
      transitionOf(),
    );
    await new AlertmanagerChannel({ urls: [one.url], token: 't', wall }).deliver(transitionOf());
    await new AlertmanagerChannel({ urls: [one.url], wall }).deliver(transitionOf());
    expect(one.got.map(({ headers }) => headers.authorization)).toEqual(['Basic dTpw', 'Bearer t', undefined]);
  });

  it('states a thousand open episodes in a few requests', async () => {
    const one = await listening({ status: 200 });
    const open = Array.from({ length: 1_000 }, (_, i) => transitionOf({}, { id: `e${i}`, model: `m${i}` }));
    await new AlertmanagerChannel({ urls: [one.url], wall }).restate(open);
    expect(one.got).toHaveLength(10);
    expect(one.got.flatMap(({ body }) => JSON.parse(body) as unknown[])).toHaveLength(1_000);
  });
});
