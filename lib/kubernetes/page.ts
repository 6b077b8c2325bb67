/** The page with windows, features and alerts, and the API beneath it. */
import { Construct } from 'constructs';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export class Page extends Construct {
  /** Of its Deployment and of its Service. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: PartProps) {
    super(scope, id);
    const { channels, policyKey } = props.platform.props;
    this.name = new PartDeployment(this, 'Part', props, {
      part: 'page',
      scaling: Scaling.fixed(1),
      recreate: false,
      serves: true,
      log: false,
      // A test of channels is sent from here, and monitors are published.
      channels: true,
      secrets: [...(policyKey === undefined ? [] : [policyKey]), ...channels.flatMap((channel) => channel.secrets)],
      reaches: channels.map(({ peers, ports }) => ({ peers, ports })),
    }).name;
  }
}
