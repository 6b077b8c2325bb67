/**
 * Ids of the last release whose resources hold data, or are held by name or address outside of the stack: one that is gone was replaced, and
 * with it what it held. Whoever upgrades must find it in the changelog. At a release: `cp logical-ids.json released-logical-ids.json`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

type Ids = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Types, and what is lost or must be told to others when one is replaced. */
const FELT: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'the data',
  'AWS::Kinesis::Stream': 'events that were not read yet; producers name it',
  'AWS::KMS::Key': 'what lies under it',
  'AWS::SecretsManager::Secret': 'hashes that can be compared',
  'AWS::SQS::Queue': 'messages under way',
  'AWS::SNS::Topic': 'subscriptions of others',
  'AWS::Lambda::Url': 'the address of the collector',
  'AWS::ApiGatewayV2::Api': 'the address of the collector',
  'AWS::Glue::Database': 'questions that name it',
  'AWS::Glue::Table': 'questions that name it',
  'AWS::Athena::WorkGroup': 'questions that name it',
  'AWS::APS::Workspace': 'series of months',
  'AWS::Grafana::Workspace': 'its address, and what people made in it',
  'AWS::Events::EventBus': 'rules of others',
  'AWS::SSM::Parameter': 'links of other stacks',
};

const HEADING = '### Replaced when you upgrade on AWS';

/** Ids that an upgrade replaces and whose release does not say so. */
function untold(released: Ids, current: Ids, changelog: string): string[] {
  // Of the newest version alone: what an older one told is no news of this one.
  const [, newest = ''] = changelog.split(/^## /m);
  const [, section = ''] = newest.split(HEADING);
  const told = new Set([...(section.split(/^#/m)[0] ?? '').matchAll(/`([A-Za-z0-9]+)`/g)].map(([, id]) => id));
  const gone = Object.entries(released).flatMap(([subject, parts]) => {
    const now = new Set(Object.values(current[subject] ?? {}).flat());
    return Object.values(parts)
      .flat()
      .filter((entry) => !now.has(entry));
  });
  return [...new Set(gone)]
    .filter((entry) => {
      const [id = '', type = ''] = entry.split(' ');
      return FELT[type] !== undefined && !told.has(id);
    })
    .map((entry) => `${entry}: an upgrade replaces it (${FELT[entry.split(' ')[1] ?? '']}); name it under "${HEADING}"`)
    .sort();
}

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

describe('what an upgrade replaces', () => {
  it('stands in the changelog', () => {
    const released = JSON.parse(read('golden/released-logical-ids.json')) as Ids;
    const current = JSON.parse(read('golden/logical-ids.json')) as Ids;
    expect(Object.values(released['least'] ?? {}).flat().length).toBeGreaterThan(50);
    expect(untold(released, current, read('../../CHANGELOG.md'))).toEqual([]);
  });

  it('is found when it does not, whatever an older version told', () => {
    const released = { least: { Store: ['OldBucket AWS::S3::Bucket', 'OldAlarm AWS::CloudWatch::Alarm'] } };
    const current = { least: { Store: ['NewBucket AWS::S3::Bucket'] } };
    const older = `# Changelog\n\n## 0.2.0\n\n- more\n\n## 0.1.0\n\n${HEADING}\n\n- \`OldBucket\`: renamed\n`;
    expect(untold(released, current, older)).toEqual([expect.stringMatching(/^OldBucket AWS::S3::Bucket: .*the data/)]);
    expect(untold(released, current, older.replace('- more', `${HEADING}\n\n- \`OldBucket\`: renamed`))).toEqual([]);
    expect(untold(released, { least: released.least }, older)).toEqual([]);
  });
});
