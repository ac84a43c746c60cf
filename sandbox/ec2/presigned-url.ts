import { invalidValue } from './ec2-error.ts';

/**
 * Checks what a PresignedUrl says against the call itself. Nothing is fetched, and the signature does not matter: a
 * wrong one, or none, still leads to a good copy, while a wrong protocol or other parameters are refused at once
 * (third-party report; https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopySnapshot.html promises an
 * asynchronous failure instead).
 */
export function checkPresignedUrl(
  presignedUrl: string | undefined,
  copy: { readonly sourceSnapshotId: string; readonly destinationRegion: string },
): void {
  if (presignedUrl === undefined || presignedUrl === '') return;
  const url = URL.parse(presignedUrl);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw invalidValue('The protocol in PresignedUrl should be http or https');
  }
  const source = url.searchParams.get('SourceSnapshotId') ?? '';
  if (source !== copy.sourceSnapshotId) {
    throw invalidValue(
      `The source snapshot specified in PresignedUrl '${source}' does not match the source snapshot in the request: '${copy.sourceSnapshotId}'`,
    );
  }
  const destination = url.searchParams.get('DestinationRegion') ?? '';
  if (destination !== copy.destinationRegion) {
    throw invalidValue(`The destination region specified in PresignedUrl: '${destination}' is incorrect`);
  }
}

const SIGNING = /^(x-amz-.*|signature|signatureversion|signaturemethod|awsaccesskeyid|securitytoken)$/i;

/** The URL without what signs it, in whichever version of the signature: signature, credential and session token. */
export function withoutSignature(presignedUrl: string): string {
  const url = URL.parse(presignedUrl);
  if (url === null) return '(not a URL)';
  const signing = [...url.searchParams.keys()].filter((name) => SIGNING.test(name));
  for (const name of signing) url.searchParams.delete(name);
  return url.href;
}
