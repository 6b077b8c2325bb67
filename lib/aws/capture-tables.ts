import { Names, Stack } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import {
  ATHENA_RESULTS_PREFIX,
  CAPTURE_GLUE_COLUMNS,
  CAPTURE_PARTITION_KEYS,
  CAPTURE_REDRIVEN_TABLE,
  type CaptureTable,
  captureTableParameters,
  redrivenTable,
} from '../contracts/capture.ts';
import { CAPTURE_SINCE, QUERY_BYTES_LIMIT } from './defaults.ts';
import type { PlatformContext } from './platform-context.ts';

export interface CaptureTablesProps {
  readonly platform: PlatformContext;
  /** How the captured files are read. */
  readonly table: CaptureTable;
  /** A query that would read more is stopped; bytes. @default QUERY_BYTES_LIMIT: 100 GB */
  readonly queryBytesLimit?: number;
}

/** The capture as tables: partitions by day and hour that are computed, never listed, and a workgroup that bounds what a query may read. */
export class CaptureTables extends Construct {
  readonly database: string;
  readonly table: string;
  readonly workgroup: string;
  /** ARNs of all that a query reads of the catalogue. */
  readonly catalogueArns: readonly string[];
  readonly workgroupArn: string;
  /** Made before whoever checks the schema. */
  readonly tables: readonly CfnTable[];

  constructor(scope: Construct, id: string, props: CaptureTablesProps) {
    super(scope, id);
    const stack = Stack.of(this);
    const { bucket, key } = props.platform;
    // Athena knows small letters, digits and underscores only. A name of our own, since Glue has no generated ones.
    this.database = Names.uniqueResourceName(this, { maxLength: 120, separator: '_', allowedSpecialCharacters: '_' })
      .toLowerCase()
      .replace(/[^a-z0-9_]/g, '_');
    this.table = 'capture';
    const database = new CfnDatabase(this, 'Database', {
      catalogId: stack.account,
      databaseInput: { name: this.database, description: `Captured events of ${props.platform.environmentName}` },
    });
    const table = (childId: string, name: string, definition: CaptureTable): CfnTable => {
      const made = new CfnTable(this, childId, {
        catalogId: stack.account,
        databaseName: this.database,
        tableInput: tableInput(name, definition, bucket),
      });
      made.addResourceDependency(database);
      return made;
    };
    this.tables = [
      table('Captured', this.table, props.table),
      table('Redriven', redrivenTable(this.table), CAPTURE_REDRIVEN_TABLE),
    ];
    const workgroup = new CfnWorkGroup(this, 'Workgroup', {
      name: Names.uniqueResourceName(this, { maxLength: 120, separator: '-' }),
      description: `Queries of the capture of ${props.platform.environmentName}`,
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        // Clients cannot choose another place or no limit.
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: props.queryBytesLimit ?? QUERY_BYTES_LIMIT,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: bucket.s3UrlForObject(ATHENA_RESULTS_PREFIX),
          expectedBucketOwner: stack.account,
          encryptionConfiguration:
            key === undefined ? { encryptionOption: 'SSE_S3' } : { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
    this.workgroup = workgroup.name;
    this.workgroupArn = stack.formatArn({ service: 'athena', resource: 'workgroup', resourceName: workgroup.ref });
    this.catalogueArns = [
      stack.formatArn({ service: 'glue', resource: 'catalog' }),
      stack.formatArn({ service: 'glue', resource: 'database', resourceName: this.database }),
      ...[this.table, redrivenTable(this.table)].map((name) =>
        stack.formatArn({ service: 'glue', resource: 'table', resourceName: `${this.database}/${name}` }),
      ),
    ];
  }
}

function tableInput(name: string, definition: CaptureTable, bucket: s3.IBucket): CfnTable.TableInputProperty {
  return {
    name,
    tableType: 'EXTERNAL_TABLE',
    parameters: captureTableParameters(definition, bucket.s3UrlForObject('').replace(/\/?$/, '/'), CAPTURE_SINCE),
    partitionKeys: CAPTURE_PARTITION_KEYS.map((column) => ({ ...column })),
    storageDescriptor: {
      columns: CAPTURE_GLUE_COLUMNS.map((column) => ({ ...column })),
      location: bucket.s3UrlForObject(definition.prefix),
      inputFormat: definition.inputFormat,
      outputFormat: definition.outputFormat,
      serdeInfo: {
        serializationLibrary: definition.serializationLibrary,
        parameters: definition.serdeParameters,
      },
    },
  };
}
