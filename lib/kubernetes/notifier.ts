/** Delivers what alerts say to the channels. */
import { Construct } from 'constructs';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export class Notifier extends Construct {
  /** Of its Deployment. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: PartProps) {
    super(scope, id);
    const { channels } = props.platform.props;
    this.name = new PartDeployment(this, 'Part', props, {
      part: 'notifier',
      scaling: Scaling.fixed(1),
      recreate: true,
      serves: false,
      log: false,
      channels: true,
      secrets: channels.flatMap((channel) => channel.secrets),
      reaches: channels.map(({ peers, ports }) => ({ peers, ports })),
    }).name;
  }
}
