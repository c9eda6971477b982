/**
 * Reading a keyring's file as somebody else may have left it, and replacing it so that it is never
 * half written.
 */
import { createHash, randomUUID } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { link, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { type KeyringFile, parseKeyring } from './keyring-file.ts'

/**
 * A keyring as it was read: its parts, the digest of its bytes, and what changes when the file
 * does.
 */
export type StoredKeyring = { file: KeyringFile; sha256: Buffer; stamp: string }

/** The largest keyring that is read; some 25,000 keys. */
const keyringBytesMax = 16 << 20

const remainPattern = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const remainAgeMs = 60_000

/**
 * Reads a keyring. Synchronous: it is small, and a use of a key must not fall between two
 * revisions.
 *
 * @throws {Refusal} `keyring-refused`: missing, readable by others, too large, damaged.
 */
export function readKeyring(path: string): StoredKeyring {
  const descriptor = openToRead(path)
  try {
    const found = fstatSync(descriptor, { bigint: true })
    if ((found.mode & 0o077n) !== 0n) {
      throw new Refusal(
        'keyring-refused',
        'Others than its owner may touch the keyring; set its mode to 0600.',
      )
    }
    if (!found.isFile() || found.size > keyringBytesMax) {
      throw new Refusal(
        'keyring-refused',
        'The keyring is too large to be one; restore it from a copy.',
      )
    }
    const bytes = readFileSync(descriptor)
    const sha256 = createHash('sha256').update(bytes).digest()
    return { file: parseKeyring(bytes.toString('utf8')), sha256, stamp: stampOf(found) }
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Differs from the stamp of a keyring that was read once another process has replaced it; empty if
 * it is gone.
 */
export function stampNow(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : stampOf(found)
}

/** Writes a keyring's first file; never over another. */
export async function createKeyringFile(path: string, text: string): Promise<void> {
  await writeThenName(path, text, async (temporary) => {
    try {
      await link(temporary, path)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      throw new Refusal('already-exists', 'There is a keyring at this place; it is not replaced.')
    }
    await unlink(temporary)
  })
}

/** Replaces a keyring's file in one step. `isAllowed` is asked at the last moment. */
export async function replaceKeyringFile(
  path: string,
  text: string,
  isAllowed: () => Promise<boolean>,
): Promise<void> {
  await removeRemains(path)
  await writeThenName(path, text, async (temporary) => {
    if (!(await isAllowed())) {
      throw new Refusal('state-conflict', 'Another process took over the keyring; try again.')
    }
    await rename(temporary, path)
  })
}

async function writeThenName(
  path: string,
  text: string,
  name: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = `${path}.${randomUUID()}`
  try {
    await using file = await open(temporary, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
    await name(temporary)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  await using directory = await open(dirname(path), 'r')
  await directory.sync()
}

/** Removes what writers that crashed have left; a writer at work needs no minute. */
async function removeRemains(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`) || !remainPattern.test(name)) continue
    const remain = join(dirname(path), name)
    const found = await stat(remain).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > remainAgeMs) await unlink(remain)
  }
}

function openToRead(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    throw new Refusal('keyring-refused', 'There is no keyring at this place; make one or mount it.')
  }
}

function stampOf(found: { ino: bigint; size: bigint; ctimeNs: bigint }): string {
  return `${found.ino} ${found.size} ${found.ctimeNs}`
}
