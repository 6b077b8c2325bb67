/** Dashboards and data sources in a Grafana: what is sent, what failures become, and that nothing of others is touched. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { empty, fill } from '../../../lib/adapters/grafana/filling.ts';
import { fittedDashboard, ownerTag } from '../../../lib/adapters/grafana/fitted-dashboard.ts';
import { GrafanaApi, type GrafanaApiOptions } from '../../../lib/adapters/grafana/grafana-api.ts';
import { DASHBOARDS } from '../../../lib/contracts/dashboards.ts';
import type { GrafanaSettings, PublishedDashboard } from '../../../lib/contracts/grafana.ts';
import { grafanaDashboards } from '../../../lib/dashboards/grafana.ts';
import { FakeGrafana } from './fake-grafana.ts';

const TOKEN = 'glsa_aVeryLongTokenThatNobodyMustSee';
const DASHBOARD_ASSET: readonly PublishedDashboard[] = grafanaDashboards().map(({ key, json }) => ({
  key,
  dashboard: JSON.parse(json) as Record<string, unknown>,
}));
const SETTINGS: GrafanaSettings = {
  AssetBucket: 'assets',
  AssetKey: 'folder/abc.ndjson',
  Owner: '111122223333/eu-central-1/production',
  Title: 'Model monitoring production',
  Prefix: 'mlmon',
  WorkspaceId: 'g-1',
  PrometheusUrl: 'https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1/',
  Region: 'eu-central-1',
};

let grafana: FakeGrafana;
beforeEach(async () => {
  grafana = await FakeGrafana.start();
  grafana.tokens.add(TOKEN);
});
afterEach(async () => {
  expect(grafana.breaches).toEqual([]);
  await grafana.stop();
});

const api = (more: Partial<GrafanaApiOptions> = {}) =>
  new GrafanaApi({ url: grafana.url, token: TOKEN, firstWaitMs: 1, ...more });

async function failureOf(work: Promise<unknown>): Promise<string> {
  const failure = await work.then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );
  expect(failure).not.toContain(TOKEN);
  return failure;
}

describe('filling', () => {
  it('puts six dashboards, a folder and two data sources, twice the same', async () => {
    expect(await fill(api(), SETTINGS, DASHBOARD_ASSET)).toEqual({ dashboards: 6, removed: 0 });
    const first = JSON.stringify([[...grafana.dashboards], [...grafana.sources], [...grafana.folders]]);
    expect([...grafana.dashboards.keys()].sort()).toEqual(DASHBOARDS.map((key) => `mlmon-${key}`).sort());
    expect([...grafana.dashboards.values()].every(({ folderUid }) => folderUid === 'mlmon')).toBe(true);
    expect(grafana.sources.get('mlmon-prometheus')).toMatchObject({
      name: 'Model monitoring production: Prometheus',
      type: 'grafana-amazonprometheus-datasource',
      url: SETTINGS.PrometheusUrl,
      jsonData: { sigV4Auth: true, sigV4AuthType: 'ec2_iam_role', sigV4Region: 'eu-central-1', sigv4Service: 'aps' },
    });
    expect(grafana.sources.get('mlmon-cloudwatch')).toMatchObject({
      type: 'cloudwatch',
      jsonData: { authType: 'ec2_iam_role', defaultRegion: 'eu-central-1' },
    });
    expect(await fill(api(), SETTINGS, DASHBOARD_ASSET)).toEqual({ dashboards: 6, removed: 0 });
    expect(JSON.stringify([[...grafana.dashboards], [...grafana.sources], [...grafana.folders]])).toBe(first);
  });

  it('uses the core plugin where that of Managed Prometheus is not installed, and credentials of its own outside a workspace', async () => {
    grafana.plugins.delete('grafana-amazonprometheus-datasource');
    const { WorkspaceId: _, ...settings } = SETTINGS;
    await fill(api(), { ...settings, Url: grafana.url, AssumeRoleArn: 'arn:aws:iam::1:role/reader' }, DASHBOARD_ASSET);
    expect(grafana.sources.get('mlmon-prometheus')).toMatchObject({
      type: 'prometheus',
      jsonData: { sigV4AuthType: 'default', sigV4AssumeRoleArn: 'arn:aws:iam::1:role/reader' },
    });
    expect(JSON.stringify(grafana.dashboards.get('mlmon-fleet'))).not.toContain('amazonprometheus');
  });

  it('removes what an earlier deployment put there, and leaves what others made', async () => {
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
    const theirs = { uid: 'theirs', title: 'Ours', tags: ['mlmon'] };
    grafana.dashboards.set('theirs', { dashboard: theirs, folderUid: 'mlmon' });
    expect(await fill(api(), SETTINGS, DASHBOARD_ASSET.slice(1))).toEqual({ dashboards: 5, removed: 1 });
    expect(grafana.dashboards.has('mlmon-fleet')).toBe(false);
    expect(await empty(api(), SETTINGS)).toEqual({ removed: 5 });
    expect([...grafana.dashboards.keys()]).toEqual(['theirs']);
    expect([...grafana.sources.keys()]).toEqual([]);
    expect([...grafana.folders.keys()]).toEqual(['mlmon']);
    grafana.dashboards.clear();
    await empty(api(), SETTINGS);
    expect([...grafana.folders.keys()]).toEqual([]);
  });

  it('leaves a folder in which others keep rules', async () => {
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
    grafana.folders.set('mlmon', { uid: 'mlmon', title: 'x', parts: 1 });
    await empty(api(), SETTINGS);
    expect([...grafana.folders.keys()]).toEqual(['mlmon']);
  });

  it('touches nothing where a dashboard is of another platform, and says which prefix would do', async () => {
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
    const before = JSON.stringify([[...grafana.dashboards], [...grafana.sources]]);
    const other = { ...SETTINGS, Owner: '999/us-east-1/production', Title: 'Other' };
    expect(await failureOf(fill(api(), other, DASHBOARD_ASSET))).toMatch(/another platform.*another `prefix`/s);
    await empty(api(), other);
    expect(JSON.stringify([[...grafana.dashboards], [...grafana.sources]])).toBe(before);
    expect(await fill(api(), { ...other, Prefix: 'us' }, DASHBOARD_ASSET)).toMatchObject({ dashboards: 6 });
    expect(grafana.dashboards.size).toBe(12);
    await empty(api(), { ...other, Prefix: 'us' });
    expect(JSON.stringify([[...grafana.dashboards], [...grafana.sources]])).toBe(before);
  });

  it('changes its prefix without losing either in between', async () => {
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
    await fill(api(), { ...SETTINGS, Prefix: 'mlmon-eu' }, DASHBOARD_ASSET);
    expect(grafana.dashboards.size).toBe(12);
    await empty(api(), SETTINGS);
    expect([...grafana.dashboards.keys()].every((uid) => uid.startsWith('mlmon-eu-'))).toBe(true);
    expect(grafana.dashboards.size).toBe(6);
    expect([...grafana.sources.keys()].sort()).toEqual(['mlmon-eu-cloudwatch', 'mlmon-eu-prometheus']);
  });

  it('takes over dashboards that were imported by hand', async () => {
    const { key, dashboard } = DASHBOARD_ASSET[0]!;
    grafana.folders.set('own', { uid: 'own', title: 'Own', parts: 0 });
    grafana.dashboards.set(`mlmon-${key}`, { dashboard: { ...dashboard, uid: `mlmon-${key}` }, folderUid: 'own' });
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
    expect(grafana.dashboards.get(`mlmon-${key}`)?.folderUid).toBe('mlmon');
  });

  it('tells when the data source does not answer, after all is there', async () => {
    grafana.health = { status: 400, body: { status: 'ERROR', message: 'AccessDenied: aps:QueryMetrics' } };
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toMatch(/AccessDenied.*aps:GetLabels/s);
    expect(grafana.dashboards.size).toBe(6);
    // A role that was just made is not known everywhere at once.
    grafana.fail({ path: /health$/, times: 2, status: 400, body: '{"message":"AccessDenied"}' });
    grafana.health = { status: 200, body: { status: 'OK' } };
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
    grafana.health = { status: 404, body: { message: 'plugin has no health' } };
    await fill(api(), SETTINGS, DASHBOARD_ASSET);
  });
});

describe('failures', () => {
  it('that pass are tried again: 429, 5xx, a connection that hangs, an answer that is slow', async () => {
    for (const status of [429, 500, 502, 503])
      grafana.fail({ path: /dashboards\/db/, times: 1, status, body: '{"message":"busy"}' });
    expect(await failureOf(fill(api({ attempts: 5 }), SETTINGS, DASHBOARD_ASSET))).toBe('none');
    grafana.fail({ path: /folders/, times: 1 });
    grafana.fail({ path: /plugins/, times: 1, delayMs: 900 });
    expect(await failureOf(fill(api({ attemptMs: 600 }), SETTINGS, DASHBOARD_ASSET))).toBe('none');
  });

  it('that stay are told with what was asked, once for each dashboard, and the rest is written', async () => {
    grafana.fail({ path: /dashboards\/db/, times: 8, status: 500, body: `{"message":"broken ${TOKEN}"}` });
    const failure = await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET));
    expect(failure.split('\n')).toEqual([
      'mlmon-fleet: POST /dashboards/db: 500, broken …',
      'mlmon-model: POST /dashboards/db: 500, broken …',
    ]);
    expect(grafana.dashboards.size).toBe(4);
  });

  it('of the token are not tried again', async () => {
    grafana.tokens.clear();
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toMatch(/401, Invalid API key; the token is not/);
    expect(grafana.calls).toHaveLength(1);
    grafana.tokens.add(TOKEN);
    grafana.fail({ path: /datasources/, times: 1, status: 403, body: '{}' });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toMatch(/403; the service account .* Admin/);
  });

  it('409 is a name that is taken, or an answer that was lost', async () => {
    grafana.fail({ path: /api\/datasources$/, times: 1, status: 502, takesEffect: true });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toBe('none');
    const taken = { uid: 'own', name: 'Model monitoring staging: Prometheus', type: 'prometheus' };
    grafana.sources.set('own', taken);
    const other = { ...SETTINGS, Owner: 'o', Prefix: 'staging', Title: 'Model monitoring staging' };
    const { Prefix } = other;
    // The name has the prefix in it.
    grafana.sources.set('own', { ...taken, name: `Model monitoring staging (${Prefix}): Prometheus` });
    expect(await failureOf(fill(api(), other, DASHBOARD_ASSET))).toMatch(
      /409, another data source .* rename or delete/,
    );
    grafana.folders.set('x', { uid: 'x', title: `Model monitoring staging (${Prefix})`, parts: 0 });
    grafana.sources.delete('own');
    expect(await failureOf(fill(api(), other, DASHBOARD_ASSET))).toMatch(/409, another folder .* rename or delete/);
  });

  it('412 is tried once more, then told', async () => {
    grafana.fail({ path: /dashboards\/db/, times: 1, status: 412, body: '{"message":"changed"}' });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toBe('none');
    grafana.fail({ path: /dashboards\/db/, times: 2, status: 412, body: '{"message":"plugin dashboard"}' });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toMatch(/412, plugin dashboard/);
  });

  it('a redirect is not followed: the token is for one address', async () => {
    const elsewhere = await FakeGrafana.start();
    grafana.fail({ path: /dashboards/, times: 1, status: 302, headers: { location: `${elsewhere.url}/api/org` } });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toMatch(/302; it sends elsewhere/);
    expect(elsewhere.calls).toEqual([]);
    await elsewhere.stop();
  });

  it('a page of a proxy and an answer without end are no Grafana', async () => {
    grafana.fail({ path: /search/, times: 1, status: 400, body: '<html>secret page</html>' });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toBe('GET /search: 400');
    grafana.fail({ path: /dashboards\/uid/, times: 1, status: 200, body: `"${'x'.repeat(8_000_001)}"` });
    expect(await failureOf(fill(api(), SETTINGS, DASHBOARD_ASSET))).toMatch(/is this a Grafana/);
  });

  it('end when the time is over', async () => {
    grafana.fail({ path: /folders/, times: 10 });
    const end = new AbortController();
    const failure = failureOf(fill(api({ signal: end.signal }), SETTINGS, DASHBOARD_ASSET));
    setTimeout(() => end.abort(), 50);
    expect(await failure).toMatch(/not enough time/);
  });

  it.each(['http://grafana.example.com', 'ftp://x', 'nothing', 'https://user:word@grafana.example.com'])(
    'a token is not sent to %s',
    (url) => expect(() => new GrafanaApi({ url, token: TOKEN })).toThrow(/the address of Grafana/),
  );
});

describe('what is no token', () => {
  it.each(['', 'two words', 'glsa_a\nglsa_b', '{"token":"glsa_nobodyMustSeeThis"}\u00e4'])('is %j', (token) => {
    let said = '';
    try {
      new GrafanaApi({ url: 'https://grafana.example.com', token });
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toMatch(/token of a service account/);
    expect(said).not.toContain('glsa_');
  });
});

describe('a fitted dashboard', () => {
  const fit = {
    prefix: 'eu',
    owner: 'o',
    plugin: 'grafana-amazonprometheus-datasource',
    source: { uid: 'eu-prometheus', name: 'n' },
  } as const;

  it.each(DASHBOARD_ASSET.map((one) => [one.key, one] as const))(
    '%s asks the plugin everywhere, leads to its own, and is otherwise the same',
    (key, published) => {
      const made = fittedDashboard(published, fit);
      const text = JSON.stringify(made);
      expect(made.uid).toBe(`eu-${key}`);
      expect(text).not.toContain('"type":"prometheus"');
      expect(text).not.toContain('"query":"prometheus"');
      expect(text).not.toContain('/d/mlmon-');
      expect(made['tags']).toEqual(['eu', ownerTag('o')]);
      const back = text
        .replaceAll('"type":"grafana-amazonprometheus-datasource"', '"type":"prometheus"')
        .replaceAll('"query":"grafana-amazonprometheus-datasource"', '"query":"prometheus"')
        .replace(/,"current":\{"selected":true,"text":"n","value":"eu-prometheus"\}/, '')
        .replaceAll('/d/eu-', '/d/mlmon-')
        .replace(`"uid":"eu-${key}"`, `"uid":"mlmon-${key}"`)
        .replace(`,"${ownerTag('o')}"`, '')
        .replaceAll('"tags":["eu"]', '"tags":["mlmon"]');
      expect(JSON.parse(back)).toEqual(published.dashboard);
    },
  );
});
