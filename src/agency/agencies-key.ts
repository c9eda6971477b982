/**
 * The agencies' key: 32 random bytes that every agency of a project has and the service never gets. Made once, in a
 * ceremony, by the agencies or the key side's custodian; with it the canary table, which is all that the service is given.
 */
import { randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import iconv from 'iconv-lite'
import { canaryTableOf } from '../core/canary-making.ts'
import { Refusal } from '../core/errors.ts'
import type { Recipe } from '../core/recipe.ts'

const firstLine = 'gyeol-agencies-key-1'

/**
 * Makes a new key in a file of mode 0600: the line `gyeol-agencies-key-1` and 64 hex.
 *
 * @throws {Refusal} `already-exists`: a key that is replaced by mistake is lost.
 */
export async function makeAgenciesKey(path: string): Promise<void> {
  const text = `${firstLine}\n${randomBytes(32).toString('hex')}\n`
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    const sentence = 'There is a file of this name. A key is never overwritten: name a new file.'
    throw new Refusal('already-exists', sentence)
  }
}

/**
 * The key from its file.
 *
 * @returns 32 bytes.
 * @throws {Refusal} `keyring-refused` if others may read the file, or it is not such a key.
 */
export async function readAgenciesKey(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r')
  const { mode, size } = await file.stat()
  if ((mode & 0o077) !== 0)
    throw new Refusal('keyring-refused', 'Others may read the key file. Give it mode 0600.')
  const text = size <= 200 ? await file.readFile('utf8') : ''
  const hex = /^gyeol-agencies-key-1\r?\n([0-9a-f]{64})\r?\n?$/.exec(text)?.[1]
  if (hex === undefined)
    throw new Refusal('keyring-refused', "The file is not an agencies' key. Name the right file.")
  return Buffer.from(hex, 'hex')
}

/**
 * Writes the canary table of a recipe under the key, as JSON. It holds nothing secret: digests of published persons.
 *
 * @throws {Refusal} `already-exists`.
 */
export async function writeCanaryTable(
  path: string,
  recipe: Recipe,
  agenciesKey: Uint8Array,
): Promise<void> {
  const table = canaryTableOf(agenciesKey, recipe, (text) => iconv.encode(text, 'cp949'))
  try {
    await writeFile(path, `${JSON.stringify(table, null, 1)}\n`, { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    throw new Refusal('already-exists', 'There is a file of this name. Name a new one.')
  }
}
