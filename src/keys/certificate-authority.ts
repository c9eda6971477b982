/**
 * The certificate authority of the service (X.509, RFC 5280): it names agencies to the TLS server
 * and the server to agencies. Used offline, by the operator. node-forge writes the certificates;
 * keys, chance and all checking are node:crypto's.
 *
 * A certificate says nothing that counts except whose key it is: an agency is known by the digest
 * of its public key as it was registered, so a name in a request is not believed and nothing is
 * revoked here.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  verify,
  X509Certificate,
} from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import forge from 'node-forge'
import { Refusal } from '../core/errors.ts'

/**
 * A certificate and its private key, both PEM; the key is PKCS #8, encrypted if there is a
 * passphrase.
 */
export type CertifiedKey = { certificatePem: string; privateKeyPem: string }

/** An authority that can sign: its passphrase opens its key, if it is encrypted. */
export type Authority = CertifiedKey & { passphrase?: Uint8Array | undefined }

/** From when, and for how many days; the size of a new RSA key is 3,072 bits unless said. */
export type Validity = { now: Date; days?: number | undefined; bits?: 2048 | 3072 | undefined }

type Wanted = {
  commonName: string
  publicKey: KeyObject
  validity: Validity
  daysDefault: number
  extensions: object[]
}

const bitsDefault = 3072
const bitsLeast = 2048
const bitsMost = 8192
const requestCharactersMax = 16_384
const hostsMax = 100
/** What PrintableString can carry, and no more than RFC 5280 allows a common name. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9 '()+,./:=?-]{0,63}$/
const hostPattern =
  /^(\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/
/** Clocks of callers run late; a certificate that begins tomorrow would be of no use. */
const backdateMs = 60 * 60 * 1000
const dayMs = 24 * 60 * 60 * 1000

/**
 * Makes an authority: a self-signed certificate for ten years that may sign end certificates only.
 */
export async function makeAuthority(
  name: string,
  validity: Validity,
  passphrase?: Uint8Array,
): Promise<Authority> {
  const pair = await rsaPair(validity.bits)
  const extensions = [
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]
  const wanted = {
    commonName: name,
    publicKey: pair.publicKey,
    validity,
    daysDefault: 3650,
    extensions,
  }
  const certificatePem = certificate(wanted, pair.privateKey)
  const privateKeyPem = pemOf(pair.privateKey, passphrase)
  return { certificatePem, privateKeyPem, ...(passphrase === undefined ? {} : { passphrase }) }
}

/**
 * Signs an agency's request: a client certificate for two years, in the name the operator gives.
 *
 * @param request - PKCS #10 in PEM, with an RSA key of 2,048 to 8,192 bits.
 * @throws {Refusal} `input-malformed` if the request is none, is not signed with its own key, or
 * the key is too weak.
 */
export function signAgencyRequest(
  authority: Authority,
  request: { agency: string; requestPem: string },
  validity: Validity,
): string {
  const publicKey = provenKey(request.requestPem)
  const extensions = endExtensions({ name: 'extKeyUsage', clientAuth: true })
  const wanted = { commonName: request.agency, publicKey, validity, daysDefault: 730, extensions }
  return certificate(wanted, signingKey(authority), authority.certificatePem)
}

/**
 * Makes a server's key and certificate for a year.
 *
 * @param hosts - names and IP addresses under which callers reach it, lower-case, 1 to 100.
 * @throws {RangeError} if a host is neither.
 */
export async function makeServerCertificate(
  authority: Authority,
  hosts: string[],
  validity: Validity,
): Promise<CertifiedKey> {
  const [first] = hosts
  if (first === undefined || hosts.length > hostsMax) throw new RangeError('1 to 100 hosts.')
  const altNames = hosts.map((host) => {
    if (isIP(host) !== 0) return { type: 7, ip: host }
    if (host.length > 253 || !hostPattern.test(host))
      throw new RangeError('A host is a name or an IP.')
    return { type: 2, value: host }
  })
  const pair = await rsaPair(validity.bits)
  const extensions = [
    ...endExtensions({ name: 'extKeyUsage', serverAuth: true }),
    { name: 'subjectAltName', altNames },
  ]
  // Clients look at the alternative names alone; the common name is for people.
  const commonName = first.length <= 64 && namePattern.test(first) ? first : 'gyeol'
  const wanted = { commonName, publicKey: pair.publicKey, validity, daysDefault: 365, extensions }
  const certificatePem = certificate(wanted, signingKey(authority), authority.certificatePem)
  return { certificatePem, privateKeyPem: pemOf(pair.privateKey) }
}

/**
 * Makes the key and certificate under which manifests of releases are signed (CMS), for five years: a release is checked
 * long after it was made.
 */
export async function makeReleaseCertificate(
  authority: Authority,
  name: string,
  validity: Validity,
): Promise<CertifiedKey> {
  const pair = await rsaPair(validity.bits)
  const extensions = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, nonRepudiation: true, critical: true },
    { name: 'extKeyUsage', emailProtection: true }, // What OpenSSL asks of a signer of CMS.
  ]
  const { publicKey } = pair
  const wanted = { commonName: name, publicKey, validity, daysDefault: 1825, extensions }
  const certificatePem = certificate(wanted, signingKey(authority), authority.certificatePem)
  return { certificatePem, privateKeyPem: pemOf(pair.privateKey) }
}

/** A signed certificate; self-signed if no issuer is given. */
function certificate(wanted: Wanted, signer: KeyObject, issuerPem?: string): string {
  const { commonName, publicKey, validity, daysDefault, extensions } = wanted
  if (!namePattern.test(commonName)) throw new RangeError('A name has 1 to 64 plain characters.')
  const { pki, md } = forge
  const made = pki.createCertificate()
  made.publicKey = pki.publicKeyFromPem(
    publicKey.export({ format: 'pem', type: 'spki' }).toString(),
  )
  made.serialNumber = serialNumber()
  made.validity.notBefore = new Date(validity.now.getTime() - backdateMs)
  made.validity.notAfter = new Date(validity.now.getTime() + (validity.days ?? daysDefault) * dayMs)
  const subject = [{ name: 'commonName', value: commonName }]
  const issuer = issuerPem === undefined ? undefined : pki.certificateFromPem(issuerPem)
  made.setSubject(subject)
  made.setIssuer(issuer?.subject.attributes ?? subject)
  const keyIdentifier = (issuer ?? made).generateSubjectKeyIdentifier().getBytes()
  const identifiers = [
    { name: 'subjectKeyIdentifier' },
    { name: 'authorityKeyIdentifier', keyIdentifier },
  ]
  made.setExtensions([...extensions, ...identifiers])
  made.sign(pki.privateKeyFromPem(pemOf(signer)), md.sha256.create())
  const pem = pki.certificateToPem(made).replaceAll('\r\n', '\n')
  if (!new X509Certificate(pem).verify(createPublicKey(signer))) {
    throw new Error('The certificate does not verify under the key that signed it.')
  }
  return pem
}

function endExtensions(extendedKeyUsage: object): object[] {
  return [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    extendedKeyUsage,
  ]
}

/** The public key of a request whose sender has shown to hold the private one. */
function provenKey(requestPem: string): KeyObject {
  if (requestPem.length > requestCharactersMax) refuseRequest()
  const { publicKey, signed, signature } = readRequest(requestPem)
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0
  const isStrong = publicKey.asymmetricKeyType === 'rsa' && bits >= bitsLeast && bits <= bitsMost
  if (!isStrong || !verify('sha256', signed, publicKey, signature)) refuseRequest()
  return publicKey
}

function readRequest(pem: string): { publicKey: KeyObject; signed: Buffer; signature: Buffer } {
  const { asn1, pki } = forge
  try {
    const request = pki.certificationRequestFromPem(pem)
    const { publicKey, certificationRequestInfo } = request
    if (publicKey === null || certificationRequestInfo === null) return refuseRequest()
    return {
      publicKey: createPublicKey(pki.publicKeyToPem(publicKey)),
      signed: Buffer.from(asn1.toDer(certificationRequestInfo).getBytes(), 'latin1'),
      signature: Buffer.from(request.signature, 'latin1'),
    }
  } catch {
    return refuseRequest() // The parser has many ways to say that this is no request.
  }
}

function refuseRequest(): never {
  throw new Refusal(
    'input-malformed',
    'The certificate request is not one we can sign; make it with RSA, 3072 bits, SHA-256.',
  )
}

function signingKey({ privateKeyPem, passphrase }: Authority): KeyObject {
  if (passphrase === undefined) return createPrivateKey(privateKeyPem)
  try {
    return createPrivateKey({ key: privateKeyPem, passphrase: Buffer.from(passphrase) })
  } catch (cause) {
    const sentence = 'The passphrase does not open the key of the authority.'
    throw new Refusal('passphrase-wrong', sentence, {}, { cause })
  }
}

function rsaPair(bits = bitsDefault): Promise<{ publicKey: KeyObject; privateKey: KeyObject }> {
  return promisify(generateKeyPair)('rsa', { modulusLength: bits })
}

function pemOf(privateKey: KeyObject, passphrase?: Uint8Array): string {
  if (passphrase === undefined)
    return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const encryption = { cipher: 'aes-256-cbc', passphrase: Buffer.from(passphrase) }
  return privateKey.export({ format: 'pem', type: 'pkcs8', ...encryption }).toString()
}

/** RFC 5280, section 4.1.2.2: positive, at most 20 bytes; 126 bits of chance. Hexadecimal. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40 // Positive, and no leading zeros to be cut.
  return bytes.toString('hex')
}
