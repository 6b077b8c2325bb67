/** What the Helm chart needs to route alerts: taken from the renderers, so that it says what they say. */
import { alertmanagerConfiguration } from '../lib/alerts/alertmanager.ts';
import { alertmanagerConfigSpec } from '../lib/alerts/alertmanager-config.ts';
import { type AlertReceiver, EVERYBODY, HEARTBEAT, NOBODY } from '../lib/alerts/receivers.ts';

/** A kind of receiver in one form. */
interface Kind {
  /** The list in which it stands. */
  readonly list: string;
  readonly fixed: Readonly<Record<string, unknown>>;
  /** Our field → its name there. */
  readonly fields: Readonly<Record<string, string>>;
  /** Fields of ours that say where a secret lies. */
  readonly secrets: readonly string[];
}

/** What may stand in a receiver of each type; secrets by `SECRET`. */
const SECRET = 'a secret';
const EVERY_FIELD: readonly AlertReceiver<typeof SECRET>[] = [
  { type: 'slack', name: 'one', url: SECRET, channel: 'channel' },
  { type: 'pagerduty', name: 'one', routingKey: SECRET, url: 'url' },
  { type: 'teams', name: 'one', url: SECRET },
  { type: 'opsgenie', name: 'one', key: SECRET, url: 'url' },
  { type: 'webhook', name: 'one', url: SECRET },
];

interface Rendered {
  readonly route: unknown;
  readonly receivers: readonly Readonly<Record<string, unknown>>[];
}

export function alertingForms(): Readonly<Record<string, unknown>> {
  const operator = (receiver: AlertReceiver<string>): Rendered =>
    // Where a secret lies is passed on as it is.
    alertmanagerConfigSpec({ receivers: [receiver], heartbeat: { url: SECRET } } as never) as never;
  const files = (receiver: AlertReceiver<string>): Rendered =>
    alertmanagerConfiguration({ receivers: [receiver], heartbeat: { url: SECRET } }) as never;
  return {
    nobody: NOBODY,
    everybody: EVERYBODY,
    heartbeat: HEARTBEAT,
    operator: form(operator, 'inhibitRules'),
    files: form(files, 'inhibit_rules'),
  };
}

function form(render: (receiver: AlertReceiver<string>) => Rendered, inhibitions: string): object {
  const one = render(EVERY_FIELD[0]!);
  return {
    inhibitions,
    inhibitRules: (one as unknown as Readonly<Record<string, unknown>>)[inhibitions],
    route: withoutHeartbeat(one.route),
    heartbeat: kindOf({ url: SECRET }, one, HEARTBEAT),
    kinds: Object.fromEntries(
      EVERY_FIELD.map((receiver) => [receiver.type, kindOf(receiver, render(receiver), EVERYBODY)]),
    ),
  };
}

/** The chart says who hears the heartbeat where there is one. */
function withoutHeartbeat(route: unknown): unknown {
  return JSON.parse(JSON.stringify(route).replaceAll(`"${HEARTBEAT}"`, `"${NOBODY}"`));
}

/** Finds each field by its value. */
function kindOf(receiver: Readonly<Record<string, string>>, { receivers }: Rendered, named: string): Kind {
  const { name: _, ...lists } = receivers.find(({ name }) => name === named) ?? {};
  const [list = '', configs] = Object.entries(lists)[0] ?? [];
  const [config = {}] = configs as readonly Readonly<Record<string, unknown>>[];
  const own = Object.entries(receiver).filter(([field]) => field !== 'type' && field !== 'name');
  const fields = own.map(([field, value]) => {
    const target = Object.keys(config).find((key) => config[key] === value);
    if (target === undefined) throw new Error(`${list} has no ${field}`);
    return [field, target] as const;
  });
  const taken = new Set(fields.map(([, target]) => target));
  return {
    list,
    fixed: Object.fromEntries(Object.entries(config).filter(([key]) => !taken.has(key))),
    fields: Object.fromEntries(fields),
    secrets: own.filter(([, value]) => value === SECRET).map(([field]) => field),
  };
}
