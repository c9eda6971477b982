/** Making keys, and making keys usable from the bytes that are wrapped in a keyring. */
import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256, HpkeError } from '@hpke/core'
import { Refusal } from '../core/errors.ts'
import type { KeyAlgorithm } from './key-purposes.ts'

/**
 * `secret`: 32 bytes, or PKCS #8 (RFC 5958) of a pair. `publicKey`: 65-byte point of P-256, 32
 * bytes of Ed25519.
 */
export type KeyMaterial = { secret: Buffer; publicKey?: Buffer }

/** A fresh key. */
export function newKeyMaterial(algorithm: KeyAlgorithm): KeyMaterial {
  if (algorithm !== 'hpke-p256' && algorithm !== 'ed25519') return { secret: randomBytes(32) }
  const { privateKey, publicKey } =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const secret = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { secret, publicKey: rawPublicKey(publicKey) }
}

/** The key in a form that computes; the bytes given may be wiped afterwards. */
export function usableKey(algorithm: KeyAlgorithm, secret: Buffer): KeyObject {
  if (algorithm !== 'hpke-p256' && algorithm !== 'ed25519') return createSecretKey(secret)
  return createPrivateKey({ key: secret, format: 'der', type: 'pkcs8' })
}

/**
 * Opens what was sealed to a P-256 key: HPKE base mode (RFC 9180), HKDF-SHA-256, AES-256-GCM, no
 * associated data.
 *
 * @throws {Refusal} `sealed-object-damaged`.
 */
export async function openBase(
  privateKey: KeyObject,
  { enc, info }: { enc: Uint8Array; info: Uint8Array },
  ciphertext: Uint8Array,
): Promise<Uint8Array> {
  const ecdh = { name: 'ECDH', namedCurve: 'P-256' }
  const recipientKey = {
    privateKey: privateKey.toCryptoKey(ecdh, false, ['deriveBits']),
    publicKey: createPublicKey(privateKey).toCryptoKey(ecdh, true, []),
  }
  const kem = new DhkemP256HkdfSha256()
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  try {
    return new Uint8Array(await suite.open({ recipientKey, enc, info }, ciphertext))
  } catch (error) {
    if (!(error instanceof HpkeError)) throw error
    throw new Refusal(
      'sealed-object-damaged',
      'The sealed data key is changed, or sealed as another object; restore it from a copy.',
      {},
      { cause: error },
    )
  }
}

function rawPublicKey(key: KeyObject): Buffer {
  const { kty, x = '', y = '' } = key.export({ format: 'jwk' })
  const [left, right] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return kty === 'EC' ? Buffer.concat([Buffer.from([4]), left, right]) : left
}
