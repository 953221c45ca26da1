import type { Check } from '../check.ts';

/** Rules about the address of the audit buckets. */
export function checkBuckets({ settings, problem, warning }: Check): void {
  const { auditS3Endpoint: endpoint, auditS3Addressing: addressing, auditBucket, auditAnchorBucket } = settings;
  if (endpoint !== null && endpoint.search !== '') problem('auditS3Endpoint', 'a query', 'an endpoint without a query');
  if (addressing !== null && auditBucket === null)
    warning('auditS3Addressing', `\`${addressing}\``, 'a value only beside TGEFD_AUDIT_BUCKET');
  if (addressing !== 'virtual') return;
  if (endpoint !== null && /^\[|^\d{1,3}(\.\d{1,3}){3}$/.test(endpoint.hostname))
    problem('auditS3Addressing', '`virtual`', '`path`, since the host of TGEFD_AUDIT_S3_ENDPOINT is an address');
  for (const bucket of [auditBucket, auditAnchorBucket])
    if (bucket !== null && (bucket.includes('.') || !URL.canParse(`https://${bucket}.example`)))
      problem('auditS3Addressing', '`virtual`', '`path`, since the name of a bucket is no single label of a host name');
}
