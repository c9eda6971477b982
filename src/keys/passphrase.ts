/**
 * From a passphrase to the secrets that protect a keyring: argon2id (RFC 9106), then HKDF for one
 * secret a purpose.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import argon2 from 'argon2'
import { hkdf } from '../core/hkdf.ts'

export type Argon2Parameters = { memoryKiB: number; passes: number; lanes: number }

/** The least that a keyring may have; also what protects people's passwords. */
export const argon2Least: Argon2Parameters = { memoryKiB: 46 * 1024, passes: 1, lanes: 1 }

/**
 * What a new keyring gets: it is opened once a start, so a guess may cost a quarter of a second.
 */
export const argon2Default: Argon2Parameters = { memoryKiB: 128 * 1024, passes: 3, lanes: 1 }

/** A file that asks for more is refused: opening it would be an attack on the memory. */
export const argon2Most: Argon2Parameters = { memoryKiB: 2048 * 1024, passes: 64, lanes: 16 }

/**
 * `wrapping` wraps keys, `mac` authenticates the file, `check` tells a wrong passphrase from an
 * altered file.
 */
export type KeyringSecrets = { wrapping: KeyObject; mac: KeyObject; check: Buffer }

/**
 * The secrets of one keyring.
 *
 * @param salt - 16 random bytes of this keyring's own.
 */
export async function keyringSecrets(
  passphrase: Uint8Array,
  salt: Uint8Array,
  { memoryKiB, passes, lanes }: Argon2Parameters,
): Promise<KeyringSecrets> {
  const root = await argon2.hash(Buffer.from(passphrase), {
    type: argon2.argon2id,
    raw: true,
    salt: Buffer.from(salt),
    memoryCost: memoryKiB,
    timeCost: passes,
    parallelism: lanes,
    hashLength: 32,
  })
  const derived = (purpose: string, bytes: number): Buffer =>
    hkdf('sha256', { key: root, salt, info: Buffer.from(`gyeol keyring 1 ${purpose}`) }, bytes)
  const secrets = {
    wrapping: createSecretKey(derived('wrapping', 32)),
    mac: createSecretKey(derived('mac', 32)),
    check: derived('check', 16),
  }
  root.fill(0)
  return secrets
}
