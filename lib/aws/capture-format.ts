import type * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import {
  CAPTURE_DELIVERY,
  CAPTURE_PREFIX,
  CAPTURE_REDRIVEN_TABLE,
  CAPTURE_TABLE,
  type CaptureTable,
} from '../contracts/capture.ts';

type ExtendedS3 = firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty;

/** What the schema of a conversion is read from. */
export interface SchemaSource {
  readonly database: string;
  readonly table: string;
  readonly region: string;
  readonly roleArn: string;
}

/** How captured events lie in the bucket. Either can be queried. */
export class CaptureFormat {
  /** Columns, compressed: a query reads a tenth of the bytes. */
  static parquet(): CaptureFormat {
    return new CaptureFormat(CAPTURE_TABLE, true);
  }

  /** The lines of the stream as they came, compressed by gzip: nothing can fail to convert, queries read all bytes. */
  static jsonLines(): CaptureFormat {
    return new CaptureFormat({ ...CAPTURE_REDRIVEN_TABLE, prefix: CAPTURE_PREFIX }, false);
  }

  readonly table: CaptureTable;
  /** The delivery stream needs the schema. */
  readonly converts: boolean;

  private constructor(table: CaptureTable, converts: boolean) {
    this.table = table;
    this.converts = converts;
  }

  /** Its part of the destination. */
  destination(schema: SchemaSource): Partial<ExtendedS3> {
    if (!this.converts) return { compressionFormat: 'GZIP', fileExtension: '.json.gz' };
    return {
      // The file itself is compressed.
      compressionFormat: 'UNCOMPRESSED',
      fileExtension: CAPTURE_DELIVERY.fileExtension,
      dataFormatConversionConfiguration: {
        enabled: true,
        schemaConfiguration: {
          databaseName: schema.database,
          tableName: schema.table,
          region: schema.region,
          roleArn: schema.roleArn,
          versionId: 'LATEST',
        },
        inputFormatConfiguration: { deserializer: { openXJsonSerDe: CAPTURE_DELIVERY.openXJson } },
        outputFormatConfiguration: {
          serializer: { parquetSerDe: { compression: CAPTURE_DELIVERY.parquetCompression } },
        },
      },
    };
  }
}
