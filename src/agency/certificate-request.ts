/**
 * An agency's key and the request for a certificate of it (PKCS #10, RFC 2986). Made at the agency,
 * offline; the private key never leaves it. The key is node:crypto's; node-forge writes the
 * request.
 */
import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import forge from 'node-forge'

/** The agency's name as it is registered, and the size of its RSA key: 3,072 bits unless said. */
export type RequestOptions = { agency: string; bits?: 2048 | 3072 | 4096 | undefined }

/**
 * `privateKeyPem` is PKCS #8 and stays at the agency; `requestPem` goes to the service's operator.
 */
export type CertificateRequest = { privateKeyPem: string; requestPem: string }

const agencyPattern = /^[a-z][a-z0-9-]{0,62}$/

/**
 * Makes a key and a request for it. The name is a wish: the operator decides what the certificate
 * says.
 *
 * @throws {RangeError} if the name is not one an agency can be registered under.
 */
export async function makeCertificateRequest(options: RequestOptions): Promise<CertificateRequest> {
  const { agency, bits = 3072 } = options
  if (!agencyPattern.test(agency)) throw new RangeError('An agency name is short and lower-case.')
  const pair = await promisify(generateKeyPair)('rsa', { modulusLength: bits })
  const publicKeyPem = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const privateKeyPem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const { pki, md } = forge
  const request = pki.createCertificationRequest()
  request.publicKey = pki.publicKeyFromPem(publicKeyPem)
  request.setSubject([{ name: 'commonName', value: agency }])
  request.sign(pki.privateKeyFromPem(privateKeyPem), md.sha256.create())
  const requestPem = pki.certificationRequestToPem(request).replaceAll('\r\n', '\n')
  return { privateKeyPem, requestPem }
}
