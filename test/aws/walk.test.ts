/** No prop is dead: every interface that a user fills is walked, and each of its props changes something or is refused. */
import { describe, expect, it } from 'vitest';
import { interfaces } from './interfaces.ts';
import { outcome } from './walk.ts';
import { WALK_OF_DATA } from './walk-of-data.ts';
import { WALK_OF_WATCHING } from './walk-of-watching.ts';
import './without-validation.ts';

const WALKED = { ...WALK_OF_DATA, ...WALK_OF_WATCHING };
const ALL = interfaces();

/** Walked in props.test.ts, with the facade. */
const ELSEWHERE = [
  'AlarmsProps',
  'AlertingProps',
  'DashboardsProps',
  'EventBusOptions',
  'EventBusProps',
  'ManagedPrometheusOptions',
  'MetricsProps',
  'ModelAlarmsOptions',
  'ModelAlarmsProps',
  'ModelMonitoringProps',
];
/** Filled by the library, for its parts or for whoever reads them: nothing is chosen there. */
const NOT_CHOSEN =
  /^I[A-Z]|Context$|^(?:Bound|Placed)|^(?:DeployPolicy|DeployStatement|Environment|EnvironmentConfig|EnvironmentPeople|Expectation|FunctionRights|FunctionSize|GrafanaTarget|LinesAsset|PrometheusWorkspace|Removal|SchemaSource|VpcConnection)$/;

describe('every interface of props', () => {
  it('is walked', () => {
    const missing = ALL.map(({ name }) => name).filter(
      (name) => !(name in WALKED) && !ELSEWHERE.includes(name) && !NOT_CHOSEN.test(name),
    );
    expect(missing).toEqual([]);
  });

  it('that is walked exists', () => {
    const names = ALL.map(({ name }) => name);
    expect([...Object.keys(WALKED), ...ELSEWHERE].filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe.each(Object.keys(WALKED))('%s', (name) => {
  const { make, props } = WALKED[name]!;
  let plain: string | undefined;

  it('has a value to try for every prop', () => {
    const declared = ALL.find((one) => one.name === name)?.props.map((prop) => prop.name) ?? [];
    expect(Object.keys(props).sort()).toEqual([...declared].sort());
  });

  it.each(Object.keys(props))('%s', (prop) => {
    let adds = false;
    const chosen = outcome((stack) => {
      const value = props[prop]!(stack);
      adds = stack.node.children.length > 0;
      return make(stack, { [prop]: value });
    });
    plain ??= outcome((stack) => make(stack, {}));
    expect(chosen).not.toBe(plain);
    // What the value itself adds to the stack is no effect.
    if (adds)
      expect(chosen).not.toBe(
        outcome((stack) => {
          props[prop]!(stack);
          return make(stack, {});
        }),
      );
  });
});
