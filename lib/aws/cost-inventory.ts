import { CfnResource, Token } from 'aws-cdk-lib';
import { CfnVPCEndpoint } from 'aws-cdk-lib/aws-ec2';
import { CfnEventSourceMapping, type CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import type { FunctionName } from '../contracts/functions.ts';
import type { FunctionUse, Inventory } from '../cost/inventory.ts';
import { MINUTES_A_MONTH } from '../cost/usage.ts';
import { FUNCTION_SIZES, PROFILER_BATCH_WINDOW } from './defaults.ts';
import { FunctionSchedule } from './function-schedule.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

/** What a platform has that costs whatever comes, counted below `root`; what was brought is its owner's, but for the key. */
export function costInventory(root: IConstruct, platform: PlatformContext): Inventory {
  const constructs = root.node.findAll();
  const resources = constructs.filter((one): one is CfnResource => CfnResource.isCfnResource(one));
  const count = (...types: readonly string[]): number =>
    resources.filter(({ cfnResourceType }) => types.includes(cfnResourceType)).length;
  const mappings = resources.filter((one): one is CfnEventSourceMapping => one instanceof CfnEventSourceMapping);
  // A mapping of a stream has a position to start at, one of a queue has none.
  const gathered = mappings
    .filter(({ startingPosition }) => startingPosition !== undefined)
    .map(({ maximumBatchingWindowInSeconds: seconds }) =>
      seconds === undefined || Token.isUnresolved(seconds) ? PROFILER_BATCH_WINDOW.toSeconds() : seconds,
    );
  return {
    functions: functionsOf(constructs),
    batchSeconds: gathered.length === 0 ? PROFILER_BATCH_WINDOW.toSeconds() : Math.min(...gathered),
    alarms: count('AWS::CloudWatch::Alarm'),
    compositeAlarms: count('AWS::CloudWatch::CompositeAlarm'),
    dashboards: count('AWS::CloudWatch::Dashboard'),
    secrets: count('AWS::SecretsManager::Secret'),
    keys: platform.key === undefined ? 0 : 1,
    polledQueues: mappings.filter(({ startingPosition }) => startingPosition === undefined).length,
    httpApis: count('AWS::ApiGatewayV2::Api'),
    buses: count('AWS::Events::EventBus'),
    archives: count('AWS::Events::Archive'),
    endpointZones: resources.reduce(
      (sum, one) =>
        sum + (one instanceof CfnVPCEndpoint && one.vpcEndpointType === 'Interface' ? (one.subnetIds?.length ?? 1) : 0),
      0,
    ),
    grafanaWorkspaces: count('AWS::Grafana::Workspace'),
  };
}

function functionsOf(constructs: readonly IConstruct[]): Inventory['functions'] {
  const runs = new Map<FunctionName, number>();
  for (const one of constructs)
    if (one instanceof FunctionSchedule) {
      const { functionName, everyMinutes } = one;
      runs.set(functionName, (runs.get(functionName) ?? 0) + MINUTES_A_MONTH / everyMinutes);
    }
  const functions: Partial<Record<FunctionName, FunctionUse>> = {};
  for (const one of constructs)
    if (one instanceof MonitoringFunction) {
      const name: FunctionName = one.functionName;
      const { memorySize } = one.function.node.defaultChild as CfnFunction;
      functions[name] = {
        // Known only when deployed: that of its kind.
        memoryMb:
          memorySize === undefined || Token.isUnresolved(memorySize) ? FUNCTION_SIZES[name].memorySize : memorySize,
        runsPerMonth: runs.get(name) ?? 0,
      };
    }
  return functions;
}
