import { createHash, X509Certificate } from 'node:crypto'

/**
 * The digest by which a caller is known: SHA-256 of the certificate's public key
 * (SubjectPublicKeyInfo, RFC 5280, section 4.1.2.7). It stays the same when the certificate is
 * renewed for the same key.
 *
 * @returns 32 bytes.
 */
export function spkiSha256Of(certificate: string | X509Certificate): Buffer {
  const read = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  return createHash('sha256')
    .update(read.publicKey.export({ format: 'der', type: 'spki' }))
    .digest()
}
