/** Opening a keyring, with every reason not to; and making a new one. */
import { randomBytes } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import { firstPurposes, type KeyringSide } from './key-purposes.ts'
import { Keyring } from './keyring.ts'
import { requireTwoPeople, withKey } from './keyring-change.ts'
import { authenticated, type KeyringContent, keyringText } from './keyring-file.ts'
import { createKeyringFile, readKeyring } from './keyring-store.ts'
import { type Argon2Parameters, argon2Default, argon2Least, keyringSecrets } from './passphrase.ts'

/** What is opened, and what it must be. `newestRevision` is the newest that anyone has seen. */
export type KeyringPlace = {
  path: string
  passphrase: Uint8Array
  demo: boolean
  side?: KeyringSide | undefined
  newestRevision?: number | undefined
}

/** A new keyring. A published, worthless one says so with `isExample`. */
export type NewKeyring = {
  path: string
  side: KeyringSide
  passphrase: Uint8Array
  createdBy: string
  approvedBy: string
  now: Date
  argon2?: Argon2Parameters | undefined
  isExample?: boolean | undefined
}

const passphraseBytes = { least: 12, most: 1024 }

/**
 * Opens a keyring.
 *
 * @throws {Refusal} `passphrase-wrong`; `keyring-refused` if it is missing, of another mode than
 * 0600, damaged, altered, of another side, older than known, or an example outside demo mode.
 */
export async function openKeyring(place: KeyringPlace): Promise<Keyring> {
  const { file, sha256, stamp } = readKeyring(place.path)
  const { salt, ...parameters } = file.content.argon2id
  const secrets = await keyringSecrets(place.passphrase, Buffer.from(salt, 'hex'), parameters)
  const content = authenticated(file, secrets)
  if (content.example && !place.demo) {
    refuse('The keyring is the published example, worth nothing; make one of your own.')
  }
  if (place.side !== undefined && content.side !== place.side) {
    refuse('The keyring is that of another side; give each side its own.')
  }
  if (content.revision < (place.newestRevision ?? 0)) {
    refuse('The keyring is older than the newest one known; restore the newest.')
  }
  return new Keyring(place.path, secrets, { content, sha256, stamp })
}

/**
 * Makes a keyring with the keys its side needs from the first day, as revision 1, and opens it.
 *
 * @throws {Refusal} `own-act`, `already-exists`, `option-unknown` for a passphrase or argon2id
 * settings too weak.
 */
export async function createKeyring(wanted: NewKeyring): Promise<Keyring> {
  const { side, createdBy, approvedBy, now, argon2 = argon2Default } = wanted
  const act = { by: createdBy, approvedBy, now }
  requireTwoPeople(act)
  requireStrength(wanted.passphrase, argon2)
  const salt = randomBytes(16)
  const secrets = await keyringSecrets(wanted.passphrase, salt, argon2)
  let content: KeyringContent = {
    format: 'gyeol-keyring-1',
    side,
    example: wanted.isExample ?? false,
    revision: 1,
    createdAt: now.toISOString(),
    createdBy,
    approvedBy,
    argon2id: { ...argon2, salt: salt.toString('hex') },
    keys: [],
  }
  for (const purpose of firstPurposes[side]) {
    content = withKey(content, secrets.wrapping, { purpose }, act).content
  }
  await createKeyringFile(wanted.path, keyringText(content, secrets))
  const { sha256, stamp } = readKeyring(wanted.path)
  return new Keyring(wanted.path, secrets, { content, sha256, stamp })
}

function requireStrength(
  passphrase: Uint8Array,
  { memoryKiB, passes, lanes }: Argon2Parameters,
): void {
  if (passphrase.length < passphraseBytes.least || passphrase.length > passphraseBytes.most) {
    throw new Refusal('option-unknown', 'A passphrase has 12 to 1,024 bytes; choose another.')
  }
  const isWeak =
    memoryKiB < argon2Least.memoryKiB || passes < argon2Least.passes || lanes < argon2Least.lanes
  if (isWeak) throw new Refusal('option-unknown', 'Argon2id needs 46 MiB and one pass, or more.')
}

function refuse(sentence: string): never {
  throw new Refusal('keyring-refused', sentence)
}
