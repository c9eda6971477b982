/** Certificates for tests, from the same code that makes the real ones, with short keys. */
import { createPrivateKey } from 'node:crypto'
import { makeCertificateRequest } from '../../src/agency/certificate-request.ts'
import {
  makeAuthority,
  makeReleaseCertificate,
  makeServerCertificate,
  signAgencyRequest,
} from '../../src/keys/certificate-authority.ts'
import type { ReleaseSigner } from '../../src/keys/cms.ts'

export type TestAuthority = {
  /** What clients trust. */
  ca: Buffer
  server: { key: Buffer; cert: Buffer; ca: Buffer }
  /** Who signs releases. */
  releaseSigner: ReleaseSigner
  /** A client's certificate; `signedAt` long ago makes one that has expired. */
  client: (
    agency: string,
    signedAt?: Date,
  ) => Promise<{ key: Buffer; cert: Buffer; certificatePem: string }>
}

const bits = 2048

export async function testAuthority(): Promise<TestAuthority> {
  const validity = { now: new Date(), bits } as const
  const authority = await makeAuthority('Gyeol test', validity)
  const server = await makeServerCertificate(authority, ['localhost', '127.0.0.1'], validity)
  const release = await makeReleaseCertificate(authority, 'Releases of a test', validity)
  const ca = Buffer.from(authority.certificatePem)
  return {
    ca,
    server: {
      key: Buffer.from(server.privateKeyPem),
      cert: Buffer.from(server.certificatePem),
      ca,
    },
    releaseSigner: {
      certificatePem: release.certificatePem,
      privateKey: createPrivateKey(release.privateKeyPem),
    },
    client: async (agency, signedAt = validity.now) => {
      const { privateKeyPem, requestPem } = await makeCertificateRequest({ agency, bits })
      const certificatePem = signAgencyRequest(
        authority,
        { agency, requestPem },
        { ...validity, now: signedAt },
      )
      return { key: Buffer.from(privateKeyPem), cert: Buffer.from(certificatePem), certificatePem }
    },
  }
}
