/** Publishes monitors, judges windows, learns baselines, cleans up and exports the state of models. One is enough: cursors and conditional writes decide. */
import { Construct } from 'constructs';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export class Evaluator extends Construct {
  /** Of its Deployment. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: PartProps) {
    super(scope, id);
    const { policyKey } = props.platform.props;
    this.name = new PartDeployment(this, 'Part', props, {
      part: 'evaluator',
      scaling: Scaling.fixed(1),
      recreate: true,
      serves: false,
      log: true,
      monitors: true,
      secrets: policyKey === undefined ? [] : [policyKey],
    }).name;
  }
}
