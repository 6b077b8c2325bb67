/** Folds the log into profiles. Kafka gives each of its containers partitions; more containers than partitions wait. */
import { Construct } from 'constructs';
import { scaleByLag } from './keda.ts';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export interface ProfilerProps extends PartProps {
  /** @default Scaling.fixed(2), or one container where the topic has one partition */
  readonly scaling?: Scaling;
}

export class Profiler extends Construct {
  /** Of its Deployment. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: ProfilerProps) {
    super(scope, id);
    const { platform } = props;
    const scaling = props.scaling ?? Scaling.fixed(Math.min(2, platform.props.log.partitions));
    const part = new PartDeployment(this, 'Part', props, {
      part: 'profiler',
      scaling,
      recreate: false,
      serves: false,
      log: true,
      secrets: [],
    });
    this.name = part.name;
    if (scaling.spec.kind === 'lag') scaleByLag(this, platform, this.name, part.labels, scaling.spec);
  }
}
