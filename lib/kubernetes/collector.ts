/** Takes events and labels over HTTP and appends them to the log. */
import { Construct } from 'constructs';
import { ROLE_PORTS } from '../contracts/roles.ts';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export interface CollectorProps extends PartProps {
  /** @default Scaling.cpu({ minimum: 2, maximum: 10, utilisation: 70 }) */
  readonly scaling?: Scaling;
}

export class Collector extends Construct {
  /** Of its Deployment and of its Service. */
  readonly name: string;
  /** Address for senders inside the cluster. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: CollectorProps) {
    super(scope, id);
    const { policyKey, namespace } = props.platform.props;
    this.name = new PartDeployment(this, 'Part', props, {
      part: 'collector',
      scaling: props.scaling ?? Scaling.cpu(),
      recreate: false,
      serves: true,
      log: true,
      secrets: policyKey === undefined ? [] : [policyKey],
    }).name;
    this.url = `http://${this.name}.${namespace}:${ROLE_PORTS.http}`;
  }
}
