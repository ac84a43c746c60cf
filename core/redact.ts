/**
 * Text of EC2 or the SDK without what must not be logged or mailed: presigned URLs (they hold a session token),
 * credentials, and the encoded authorisation message, which is long and can be had again from CloudTrail.
 */
export function redact(text: string): string {
  return text
    .replaceAll(/https?(:\/\/|%3A%2F%2F)[^\s"'<>?]*(\?|%3F)[^\s"'<>]*/gi, '(URL left out)')
    .replaceAll(/\bX-Amz-[\w-]+(=|%3D|:\s*)[^\s"'<>&]*/gi, '(signature left out)')
    .replaceAll(/\s*\bEncoded authorization failure message:\s*\S+/gi, '')
    .replaceAll(/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, '(access key left out)')
    .replaceAll(/\b(session|security)[ _-]?token["']?\s*[=:]\s*["']?[^\s"'&]+/gi, '(token left out)')
    .replaceAll(OPAQUE, '(left out)');
}

/** Tokens have no spaces and hundreds of characters; no part of an ARN and no AWS name has more than 128. */
const OPAQUE = /[\w+/=%-]{129,}/g;
