import { Refusal } from '../core/errors.ts'

/**
 * The SHA-256 of a Content-Digest header (RFC 9530 section 2), or undefined if there is no header.
 *
 * @throws {Refusal} `input-malformed` for a header without one.
 */
export function digestOf(header: string | string[] | undefined): Buffer | undefined {
  if (header === undefined) return undefined
  const text = Array.isArray(header) ? header.join(',') : header
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(text)?.[1]
  if (!base64) throw new Refusal('input-malformed', 'Content-Digest must hold a sha-256 digest.')
  return Buffer.from(base64, 'base64')
}
