/** Joins labels with captured predictions and writes performance. */
import { Construct } from 'constructs';
import { PartDeployment, type PartProps } from './part.ts';
import { Scaling } from './scaling.ts';

export class Labeler extends Construct {
  /** Of its Deployment. */
  readonly name: string;

  constructor(scope: Construct, id: string, props: PartProps) {
    super(scope, id);
    this.name = new PartDeployment(this, 'Part', props, {
      part: 'labeler',
      scaling: Scaling.fixed(1),
      recreate: true,
      serves: false,
      log: true,
      secrets: [],
    }).name;
  }
}
