/**
 * CMS detached signatures (RFC 5652) over a release's manifest, so that anyone with OpenSSL can check them. node-forge
 * writes and takes apart the ASN.1; every signature is made and checked by node:crypto.
 */
import {
  constants,
  createHash,
  type KeyObject,
  privateEncrypt,
  verify,
  X509Certificate,
} from 'node:crypto'
import forge from 'node-forge'

/** The key that signs releases, and its certificate. */
export type ReleaseSigner = { certificatePem: string; privateKey: KeyObject }

/** DigestInfo of SHA-256 up to the digest (RFC 8017 section 9.2, note 1). */
const sha256Prefix = Buffer.from('3031300d060960864801650304020105000420', 'hex')

/**
 * A signature with its certificate and without the content, DER: SHA-256, RSA with PKCS #1 v1.5, signed attributes content
 * type, digest and time.
 */
export function signDetached(signer: ReleaseSigner, content: Uint8Array, now: Date): Buffer {
  const { asn1, pkcs7, pki, util } = forge
  const signed = pkcs7.createSignedData()
  signed.content = util.createBuffer(Buffer.from(content).toString('latin1'))
  signed.addCertificate(signer.certificatePem)
  signed.addSigner({
    key: nativeKey(signer.privateKey),
    certificate: signer.certificatePem,
    digestAlgorithm: pki.oids['sha256'] ?? '',
    authenticatedAttributes: [
      { type: pki.oids['contentType'] ?? '', value: pki.oids['data'] ?? '' },
      { type: pki.oids['messageDigest'] ?? '' },
      // The type says string; the library writes a UTCTime only from a date.
      { type: pki.oids['signingTime'] ?? '', value: now as unknown as string },
    ],
  })
  signed.sign({ detached: true })
  return Buffer.from(asn1.toDer(signed.toAsn1()).getBytes(), 'latin1')
}

/** What a detached signature shows. */
export type DetachedSignature = {
  /** The content is what was signed, under the key of the certificate inside. */
  isSigned: boolean
  /** Whether the authority given signed that certificate; undefined when none was given. */
  isTrusted?: boolean
}

/** Checks a detached signature; false for whatever is none. */
export function checkDetached(
  der: Uint8Array,
  content: Uint8Array,
  authorityPem?: string,
): DetachedSignature {
  try {
    return checked(der, content, authorityPem)
  } catch {
    return { isSigned: false } // The parser has many ways to say that this is no CMS.
  }
}

type Raw = {
  certificates: forge.pki.Certificate[]
  rawCapture: { authenticatedAttributes: forge.asn1.Asn1[]; signature: string }
}

function checked(der: Uint8Array, content: Uint8Array, authorityPem?: string): DetachedSignature {
  const { asn1, pkcs7, pki } = forge
  const parsed = asn1.fromDer(Buffer.from(der).toString('latin1'))
  const { certificates, rawCapture } = pkcs7.messageFromAsn1(parsed) as unknown as Raw
  const [first] = certificates
  if (!first || certificates.length !== 1) return { isSigned: false }
  const certificate = new X509Certificate(pki.certificateToPem(first))
  const { universal, set } = { universal: asn1.Class.UNIVERSAL, set: asn1.Type.SET }
  const attributes = asn1.create(universal, set, true, rawCapture.authenticatedAttributes)
  const signed = Buffer.from(asn1.toDer(attributes).getBytes(), 'latin1')
  const digest = createHash('sha256').update(content).digest()
  const signature = Buffer.from(rawCapture.signature, 'latin1')
  const isSigned =
    digestIn(rawCapture.authenticatedAttributes)?.equals(digest) === true &&
    verify('sha256', signed, certificate.publicKey, signature)
  if (authorityPem === undefined) return { isSigned }
  const authority = new X509Certificate(authorityPem)
  return { isSigned, isTrusted: certificate.verify(authority.publicKey) }
}

/** The value of the attribute messageDigest. */
function digestIn(attributes: readonly forge.asn1.Asn1[]): Buffer | undefined {
  for (const { value } of attributes) {
    const [type, values] = value as forge.asn1.Asn1[]
    const isDigest =
      type && forge.asn1.derToOid(type.value as string) === forge.pki.oids['messageDigest']
    const [digest] = (isDigest && (values?.value as forge.asn1.Asn1[])) || []
    if (digest) return Buffer.from(digest.value as string, 'latin1')
  }
  return undefined
}

/** What the library takes for an RSA key: it is asked to sign a digest, and nothing else. */
function nativeKey(privateKey: KeyObject): forge.pki.rsa.PrivateKey {
  const padding = constants.RSA_PKCS1_PADDING
  const sign = (md: forge.md.MessageDigest): string => {
    const digest = Buffer.from(md.digest().getBytes(), 'latin1')
    const info = Buffer.concat([sha256Prefix, digest])
    return privateEncrypt({ key: privateKey, padding }, info).toString('latin1')
  }
  return { sign } as unknown as forge.pki.rsa.PrivateKey
}
