/** Writes the log to Parquet in the store, partition by partition. */
import { Construct } from 'constructs';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export class Archiver extends Construct {
  /** Of its Deployment. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: PartProps) {
    super(scope, id);
    this.name = new PartDeployment(this, 'Part', props, {
      part: 'archiver',
      scaling: Scaling.fixed(1),
      recreate: false,
      serves: false,
      log: true,
      secrets: [],
    }).name;
  }
}
