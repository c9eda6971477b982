/**
 * The header of a sealed object: to whom it is sealed, and the data key that only they can take out.
 *
 *   "GYEOL\x1a" ‖ version 1 (1 byte) ‖ key id (16 bytes) ‖ enc (65 bytes)
 *   ‖ sealed data key (48 bytes) ‖ header of the Tink stream (40 bytes)
 *
 * A fresh 32-byte data key is sealed by HPKE (RFC 9180, base mode, DHKEM(P-256, HKDF-SHA256),
 * HKDF-SHA256, AES-256-GCM) to the side's public key. Project, kind, object id and key id are
 * HPKE's `info` and the stream's associated data, so an object under another's name does not open.
 * Whoever seals cannot open again.
 */
import { randomBytes } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core'
import { Refusal } from '../core/errors.ts'
import { aes256GcmHkdf1Mb, type TinkKey, tinkHeaderBytes } from './tink-stream.ts'

/** What an object is: its project (uuid), its kind, its own id (uuid). */
export type SealContext = { project: string; kind: string; objectId: string }

/**
 * Opens an HPKE-sealed data key with the private key `keyId`; refuses what it cannot open with
 * `sealed-object-damaged`. What it returns is wiped after use.
 */
export type Opener = (
  keyId: string,
  enc: Uint8Array,
  ciphertext: Uint8Array,
  info: Uint8Array,
) => Promise<Uint8Array>

const magic = Buffer.from('GYEOL\x1a\x01', 'latin1')
const encAt = magic.length + 16
const sealedKeyAt = encAt + 65
const tinkAt = sealedKeyAt + 48
const tinkHeader = tinkHeaderBytes(aes256GcmHkdf1Mb)
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Bytes of the whole header, and of what of it comes before the Tink stream. */
export const objectHeaderBytes = { all: tinkAt + tinkHeader, beforeTink: tinkAt }

/**
 * A new header. Salt, nonce prefix and data key are drawn here and are no argument: a caller could
 * give them twice.
 */
export async function sealHeader(
  recipientPublicKey: Uint8Array,
  keyId: string,
  context: SealContext,
): Promise<{ bytes: Buffer; key: TinkKey }> {
  const dataKey = randomBytes(32)
  const associated = associatedOf(keyId, context)
  const header = Buffer.concat([Buffer.from([tinkHeader]), randomBytes(tinkHeader - 1)])
  const kem = new DhkemP256HkdfSha256()
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipient = await suite.kem.deserializePublicKey(recipientPublicKey)
  const { enc, ct } = await suite.seal({ recipientPublicKey: recipient, info: associated }, dataKey)
  const sealedKey = [new Uint8Array(enc), new Uint8Array(ct)]
  const bytes = Buffer.concat([magic, bytesOfUuid(keyId), ...sealedKey, header])
  return { bytes, key: { dataKey, associated, header } }
}

/**
 * What a header holds, for who may open it.
 *
 * @throws {Refusal} `sealed-object-damaged`, and whatever the opener throws.
 */
export async function openHeader(
  bytes: Buffer,
  opener: Opener,
  context: SealContext,
): Promise<TinkKey> {
  if (bytes.length !== objectHeaderBytes.all) refuseDamaged()
  if (magic.compare(bytes, 0, magic.length) !== 0) refuseDamaged()
  const keyId = uuidOf(bytes.subarray(magic.length, encAt))
  const associated = associatedOf(keyId, context)
  const enc = bytes.subarray(encAt, sealedKeyAt)
  const dataKey = await opener(keyId, enc, bytes.subarray(sealedKeyAt, tinkAt), associated)
  return { dataKey, associated, header: bytes.subarray(tinkAt) }
}

/** @throws {Refusal} `sealed-object-damaged`, always. */
export function refuseDamaged(): never {
  throw new Refusal(
    'sealed-object-damaged',
    'The sealed object is cut, changed, or not the object it is named; restore it from a copy.',
  )
}

function associatedOf(keyId: string, { project, kind, objectId }: SealContext): Buffer {
  return Buffer.from(JSON.stringify(['gyeol sealed object 1', keyId, project, kind, objectId]))
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function bytesOfUuid(uuid: string): Buffer {
  if (!uuidPattern.test(uuid)) throw new RangeError('A key id is a lower-case uuid.')
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}
