import type * as grafana from 'aws-cdk-lib/aws-grafana';
import { ProblemError } from '../../contracts/problem.ts';

/** A provider of identities that speaks SAML 2.0. */
export interface SamlOptions {
  /** Where it publishes its metadata; or `metadataXml`. @default none */
  readonly metadataUrl?: string;
  /** The metadata themselves; or `metadataUrl`. @default none */
  readonly metadataXml?: string;
  /** The assertion that says which role somebody has. @default 'role' */
  readonly roleAttribute?: string;
  /** Its values that make an Admin of Grafana. @default none: Admins are then appointed by other means */
  readonly adminRoles?: readonly string[];
  /** Its values that make an Editor. @default none */
  readonly editorRoles?: readonly string[];
}

type Part = Pick<grafana.CfnWorkspaceProps, 'authenticationProviders' | 'samlConfiguration'>;

/** Who may sign in to a workspace of Managed Grafana: it takes no users of its own. */
export class GrafanaIdentity {
  /**
   * IAM Identity Center, which must be on in the account or its organization. Who may do what is said there or with `aws grafana
   * update-permissions`; CloudFormation cannot.
   */
  static identityCenter(): GrafanaIdentity {
    return new GrafanaIdentity({ authenticationProviders: ['AWS_SSO'] });
  }

  /** A provider of yours. @throws ProblemError unless exactly one of URL and XML is given */
  static saml(options: SamlOptions): GrafanaIdentity {
    const { metadataUrl: url, metadataXml: xml, adminRoles, editorRoles } = options;
    if ((url === undefined) === (xml === undefined))
      throw new ProblemError([
        {
          code: 'saml-metadata',
          path: 'identity',
          message: url === undefined ? 'no metadata of the provider are given' : 'metadata are given twice',
          expected: 'one of metadataUrl and metadataXml',
        },
      ]);
    return new GrafanaIdentity({
      authenticationProviders: ['SAML'],
      samlConfiguration: {
        idpMetadata: url === undefined ? { xml } : { url },
        assertionAttributes: { role: options.roleAttribute ?? 'role' },
        roleValues: {
          ...(adminRoles === undefined ? {} : { admin: [...adminRoles] }),
          ...(editorRoles === undefined ? {} : { editor: [...editorRoles] }),
        },
      },
    });
  }

  /** What it is in the template. @internal */
  readonly part: Part;

  private constructor(part: Part) {
    this.part = part;
  }
}
