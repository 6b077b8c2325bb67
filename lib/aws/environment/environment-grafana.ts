/** Who shows graphs, as the file of an environment says it. */
import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { z } from 'zod';
import { GRAFANA_PREFIX_PATTERN } from '../../contracts/grafana.ts';
import { Grafana } from '../grafana/grafana.ts';
import { GrafanaIdentity } from '../grafana/grafana-identity.ts';

const roleArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'arn:aws:iam::<account>:role/<name>');
const prefix = z
  .string()
  .regex(GRAFANA_PREFIX_PATTERN, '1 to 28 letters, digits, hyphens and underscores')
  .optional()
  .describe('Begins uids: another one for each platform that fills the same Grafana.');

export const grafanaSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('none') }).strict(),
  z
    .object({
      type: z.literal('managed'),
      identity: z.union([
        z.literal('identity-center'),
        z
          .object({
            saml: z.string().url().describe('Where the provider of identities publishes its metadata.'),
            roleAttribute: z.string().min(1).optional(),
            adminRoles: z.array(z.string().min(1)).optional(),
            editorRoles: z.array(z.string().min(1)).optional(),
          })
          .strict(),
      ]),
      version: z
        .string()
        .regex(/^\d+\.\d+$/, 'a version as 12.4')
        .optional(),
    })
    .strict(),
  z
    .object({
      type: z.literal('existing'),
      workspace: z.string().regex(/^g-[0-9a-f]{4,}$/, 'g-…'),
      region: z
        .string()
        .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'a region, e.g. eu-central-1')
        .optional(),
      role: roleArn.optional().describe('Of the workspace; it is let read the series.'),
      prefix,
    })
    .strict(),
  z
    .object({
      type: z.literal('self-run'),
      url: z.string().regex(/^https:\/\/[^@\s]+$/, 'https://…, without a name or a password'),
      tokenSecret: z.string().min(1).describe('Name of the secret that holds a token of a service account.'),
      reader: roleArn.optional().describe('The role that Grafana runs under; it may assume one that reads the series.'),
      prefix,
    })
    .strict(),
]);
export type EnvironmentGrafana = z.output<typeof grafanaSchema>;

export function grafanaOf(
  stack: Stack,
  chosen: EnvironmentGrafana,
  secretNamed: (name: string) => secretsmanager.ISecret,
): Grafana {
  switch (chosen.type) {
    case 'none':
      return Grafana.none();
    case 'managed':
      return Grafana.managed({ identity: identityOf(chosen.identity), version: chosen.version });
    case 'existing':
      return Grafana.existing({
        workspaceId: chosen.workspace,
        region: chosen.region,
        role: chosen.role === undefined ? undefined : iam.Role.fromRoleArn(stack, 'GrafanaRole', chosen.role),
        prefix: chosen.prefix,
      });
    case 'self-run':
      return Grafana.selfRun({
        url: chosen.url,
        token: secretNamed(chosen.tokenSecret),
        reader: chosen.reader === undefined ? undefined : new iam.ArnPrincipal(chosen.reader),
        prefix: chosen.prefix,
      });
  }
}

function identityOf(identity: Extract<EnvironmentGrafana, { type: 'managed' }>['identity']): GrafanaIdentity {
  if (identity === 'identity-center') return GrafanaIdentity.identityCenter();
  const { saml: metadataUrl, ...options } = identity;
  return GrafanaIdentity.saml({ metadataUrl, ...options });
}
