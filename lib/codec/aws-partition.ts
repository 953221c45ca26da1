/** One partition of AWS: a set of regions with names and accounts of its own. */
export interface AwsPartition {
  /** As it stands in ARNs. */
  readonly name: string;
  readonly dnsSuffix: string;
}

const partitions: readonly (readonly [RegExp, AwsPartition])[] = [
  [/^cn-/, { name: 'aws-cn', dnsSuffix: 'amazonaws.com.cn' }],
  [/^us-gov-/, { name: 'aws-us-gov', dnsSuffix: 'amazonaws.com' }],
  [/^us-iso-/, { name: 'aws-iso', dnsSuffix: 'c2s.ic.gov' }],
  [/^us-isob-/, { name: 'aws-iso-b', dnsSuffix: 'sc2s.sgov.gov' }],
  [/^eu-isoe-/, { name: 'aws-iso-e', dnsSuffix: 'cloud.adc-e.uk' }],
  [/^us-isof-/, { name: 'aws-iso-f', dnsSuffix: 'csp.hci.ic.gov' }],
  [/^eusc-/, { name: 'aws-eusc', dnsSuffix: 'amazonaws.eu' }],
];

const commercial: AwsPartition = { name: 'aws', dnsSuffix: 'amazonaws.com' };

/** The partition that a region belongs to. */
export function awsPartition(region: string): AwsPartition {
  return partitions.find(([pattern]) => pattern.test(region))?.[1] ?? commercial;
}

/** The S3 service of a region at AWS. */
export function awsS3Host(region: string): string {
  return `s3.${region}.${awsPartition(region).dnsSuffix}`;
}

/** The token service of a region at AWS. */
export function awsStsHost(region: string): string {
  return `sts.${region}.${awsPartition(region).dnsSuffix}`;
}
