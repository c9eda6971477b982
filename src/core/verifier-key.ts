/**
 * The text form of the public keys of those who sign notes (C2SP signed-note, "Verifier keys"): `name+hash+key`. The key
 * carries its type, and the hash binds name, type and key, so a key of one type is never taken for one of another.
 */
import { createHash } from 'node:crypto'
import { base64Of, bytesOfBase64 } from './base64.ts'
import { Refusal } from './errors.ts'

/** The type of keys that sign a note itself: Ed25519. */
export const noteKeyType = 0x01

/**
 * The text in which a public key is handed to those who verify.
 *
 * @param publicKey - Ed25519, 32 bytes.
 * @throws {RangeError} if the name is empty or has a space or a plus, or the key is of another length.
 */
export function verifierKeyOf(name: string, publicKey: Uint8Array, type = noteKeyType): string {
  if (!isKeyName(name)) throw new RangeError('the name of a key has no spaces and no plus')
  if (publicKey.length !== 32) throw new RangeError('an Ed25519 public key has 32 bytes')
  const typed = Buffer.concat([Buffer.of(type), publicKey])
  return `${name}+${keyIdOf(name, typed)}+${base64Of(typed)}`
}

/** The parts of a verifier key of this type. `keyId`: 8 hex digits. @throws {Refusal} `input-malformed`. */
export function readVerifierKey(
  text: string,
  type: number,
): { name: string; keyId: string; publicKey: Uint8Array } {
  // The base 64 may itself have a plus, so only the first two part the fields.
  const [, name = '', keyId = '', base64 = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/u.exec(text) ?? []
  const typed = bytesOfBase64(base64)
  const isKey = typed?.length === 33 && typed[0] === type && keyIdOf(name, typed) === keyId
  if (!isKeyName(name) || typed === undefined || !isKey) {
    throw new Refusal(
      'input-malformed',
      'A verifier key reads name+hash+key, of the type that signs here.',
    )
  }
  return { name, keyId, publicKey: typed.subarray(1) }
}

/** Whether a signer may be called so: no space, no plus. */
export function isKeyName(name: string): boolean {
  return name.isWellFormed() && /^[^\s+\u0000-\u001f\u0085]+$/u.test(name)
}

/**
 * First four bytes of SHA-256 over name, newline, signature type and public key, as 8 hex digits.
 */
function keyIdOf(name: string, typedKey: Uint8Array): string {
  return createHash('sha256').update(`${name}\n`).update(typedKey).digest('hex').slice(0, 8)
}
