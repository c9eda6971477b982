/**
 * A keyring on the disk: JSON with one wrapped key an entry, authenticated as a whole.
 *
 * `sha256` is the digest of the content without a key: it tells damage from a wrong passphrase.
 * `check` follows from the passphrase alone, `mac` (HMAC-SHA-256) from passphrase and content:
 * right check and wrong mac is an altered file. The file must be exactly the text this program
 * would write, so no bit of it is free.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { canonicalJson } from '../core/canonical.ts'
import { Refusal } from '../core/errors.ts'
import { domainSchema, personSchema } from './key-names.ts'
import { type KeyAlgorithm, type KeyPurpose, keyRules, keyringSides } from './key-purposes.ts'
import { argon2Least, argon2Most, type KeyringSecrets } from './passphrase.ts'

const uuid = z.uuid().lowercase()
const time = z.iso.datetime()
const base64 = z.base64().max(1024)
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`))
const between = (least: number, most: number) => z.int().min(least).max(most)

const entrySchema = z.strictObject({
  id: uuid,
  purpose: z.enum(Object.keys(keyRules) as [KeyPurpose, ...KeyPurpose[]]),
  project: uuid.optional(),
  domain: domainSchema.optional(),
  epoch: between(1, 9999),
  algorithm: z.enum([
    'cmac-aes-256',
    'cmac-aria-256',
    'hmac-sha-256',
    'aes-256',
    'hpke-p256',
    'ed25519',
  ] satisfies KeyAlgorithm[]),
  state: z.enum(['active', 'verify-only', 'destroyed']),
  createdAt: time,
  createdBy: personSchema,
  approvedBy: personSchema,
  retiredAt: time.optional(),
  destroyedAt: time.optional(),
  destroyedBy: personSchema.optional(),
  destructionApprovedBy: personSchema.optional(),
  publicKey: base64.optional(),
  wrapped: base64.optional(), // AES-KWP; gone once destroyed
})

const contentSchema = z.strictObject({
  format: z.literal('gyeol-keyring-1'),
  side: z.enum(keyringSides),
  example: z.boolean(), // published, so worth nothing
  revision: z.int().min(1),
  createdAt: time,
  createdBy: personSchema,
  approvedBy: personSchema,
  argon2id: z.strictObject({
    memoryKiB: between(argon2Least.memoryKiB, argon2Most.memoryKiB),
    passes: between(argon2Least.passes, argon2Most.passes),
    lanes: between(argon2Least.lanes, argon2Most.lanes),
    salt: hex(16),
  }),
  keys: z.array(entrySchema).max(25_000),
})

const fileSchema = z.strictObject({
  content: contentSchema,
  check: hex(16),
  sha256: hex(32),
  mac: hex(32),
})

/**
 * One key: `active` does everything, `verify-only` serves what was made with it, `destroyed` is a
 * memory.
 */
export type KeyEntry = z.infer<typeof entrySchema>
export type KeyringContent = z.infer<typeof contentSchema>
export type KeyringFile = z.infer<typeof fileSchema>

/** The text of a keyring's file. */
export function keyringText(content: KeyringContent, secrets: KeyringSecrets): string {
  return textOf({
    content,
    check: secrets.check.toString('hex'),
    sha256: digestOf(content),
    mac: macOf(content, secrets),
  })
}

/**
 * A keyring's file, whole but not yet authenticated.
 *
 * @throws {Refusal} `keyring-refused` if it is damaged or no keyring.
 */
export function parseKeyring(text: string): KeyringFile {
  const parsed = fileSchema.safeParse(jsonOf(text))
  if (!parsed.success || textOf(parsed.data) !== text) return refuseDamaged()
  if (digestOf(parsed.data.content) !== parsed.data.sha256) refuseDamaged()
  return parsed.data
}

/**
 * The content of a keyring, now known to be what the holder of the passphrase wrote.
 *
 * @throws {Refusal} `passphrase-wrong`, `keyring-refused` if it was altered by someone without the
 * passphrase.
 */
export function authenticated(file: KeyringFile, secrets: KeyringSecrets): KeyringContent {
  if (!timingSafeEqual(Buffer.from(file.check, 'hex'), secrets.check)) {
    throw new Refusal('passphrase-wrong', 'The passphrase does not open this keyring.')
  }
  const mac = Buffer.from(macOf(file.content, secrets), 'hex')
  if (!timingSafeEqual(Buffer.from(file.mac, 'hex'), mac)) {
    throw new Refusal(
      'keyring-refused',
      'The keyring was altered without its passphrase; restore it and find out by whom.',
    )
  }
  return file.content
}

function textOf(file: KeyringFile): string {
  return `${JSON.stringify(JSON.parse(canonicalJson(file)), null, 1)}\n`
}

function digestOf(content: KeyringContent): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex')
}

function macOf(content: KeyringContent, secrets: KeyringSecrets): string {
  return createHmac('sha256', secrets.mac).update(canonicalJson(content)).digest('hex')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refuseDamaged(): never {
  throw new Refusal('keyring-refused', 'The keyring is damaged; restore it from a copy.')
}
