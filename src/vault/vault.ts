/**
 * The vault: sealed objects in a directory, each written once and never changed.
 *
 *   <directory>/ab/ab12…   an object, named by its id, in a folder named by its first two digits
 *   <directory>/temporary/ what is being written
 *
 * An object appears under its name only when all of it is on the disk. It counts for nothing until
 * the database names it; the sweep removes what the database does not name. Folders are 0700, files
 * 0600.
 */
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, link, mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { Refusal } from '../core/errors.ts'
import { Outage } from '../core/outage.ts'
import { chunksOf, codeOf, fullDiskOr, removeFile, syncDirectory, writeAll } from './atomic-file.ts'
import type { Opener, SealContext } from './object-header.ts'
import { type ByteRange, openedRange } from './ranged-read.ts'
import { type ObjectRun, objectOpening, objectSealing } from './sealed-object.ts'
import { type SweepCounts, type SweepOptions, sweepVault } from './sweep.ts'

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Bytes a read takes from the disk at once: one segment. */
const readBytes = 1 << 20

/** To whom an object is sealed, what it is, and how much plaintext may come. */
export type PutOptions = {
  recipientPublicKey: Uint8Array
  keyId: string
  context: SealContext
  plainBytesMax?: number
}

/** What was put: size of the sealed file, size and digest of what came in. */
export type Stored = { bytes: number; plainBytes: number; plainSha256: Buffer }

export type Vault = {
  /**
   * Refuses `already-exists`, `body-too-large`, `disk-full`; then nothing is left. What the source
   * throws comes through. An `Outage` when the vault is not at its place. A stream given as source is destroyed when it is
   * not read to its end; who wants to answer on its socket gives `stream.iterator({ destroyOnReturn: false })`.
   */
  put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<Stored>
  /** The sealed bytes. Refuses `not-found`. */
  get(objectId: string): Promise<Readable>
  /**
   * The plaintext, for one pass; it was whole only if the stream ends without an error. With a
   * range, only those bytes are read and opened, and the last segment, so that an object cut short
   * is refused all the same. Refuses `not-found`.
   */
  openRead(opener: Opener, context: SealContext, range?: ByteRange): Promise<Readable>
  /** Another text once the object was written to, or another put in its place. Refuses `not-found`. */
  stampOf(objectId: string): Promise<string>
  /**
   * Writes the plaintext to a file that appears only if the object was whole. Refuses `not-found`,
   * `sealed-object-damaged`, `disk-full`.
   */
  openToFile(opener: Opener, context: SealContext, path: string): Promise<void>
  /**
   * Removes an object for good; says whether it was there. It is sealed, so nothing needs to be
   * overwritten.
   */
  destroy(objectId: string): Promise<boolean>
  /** Removes old objects that the database does not name, and old remains of writing. */
  sweep(
    isNamed: (ids: string[]) => Promise<Set<string>>,
    options: SweepOptions,
  ): Promise<SweepCounts>
}

/** The vault in a directory, which is made if it is missing. */
export async function openVault(directory: string): Promise<Vault> {
  const temporary = join(directory, 'temporary')
  await mkdir(temporary, { recursive: true, mode: 0o700 })
  return {
    put: (source, options) => put(directory, source, options),
    get: async (objectId) => {
      const sealed = await openFile(directory, objectId)
      return sealed.createReadStream({ highWaterMark: readBytes })
    },
    openRead: async (opener, context, range) => {
      const sealed = await openFile(directory, context.objectId)
      const plain =
        range === undefined
          ? flat(opened(sealed, objectOpening(opener, context)))
          : openedRange(sealed, { opener, context }, range)
      return Readable.from(plain, { objectMode: false })
    },
    stampOf: async (objectId) => {
      await using sealed = await openFile(directory, objectId)
      const { ino, size, ctimeNs } = await sealed.stat({ bigint: true })
      return `${ino} ${size} ${ctimeNs}`
    },
    openToFile: (opener, context, path) => openToFile(directory, opener, context, path),
    destroy: async (objectId) => {
      const path = pathOf(directory, objectId)
      if (!(await removeFile(path))) return false
      await syncDirectory(dirname(path))
      return true
    },
    sweep: (isNamed, options) => sweepVault(directory, isNamed, options),
  }
}

async function put(
  directory: string,
  source: AsyncIterable<Uint8Array>,
  { recipientPublicKey, keyId, context, plainBytesMax = Number.MAX_SAFE_INTEGER }: PutOptions,
): Promise<Stored> {
  const path = pathOf(directory, context.objectId)
  const temporary = join(directory, 'temporary', `${context.objectId}.${randomUUID()}`)
  const sealing = objectSealing(recipientPublicKey, keyId, context)
  const hash = createHash('sha256')
  let plainBytes = 0
  async function* sealed(): AsyncGenerator<Buffer[]> {
    for await (const chunk of source) {
      plainBytes += chunk.length
      if (plainBytes > plainBytesMax) refuseTooLarge(plainBytesMax)
      hash.update(chunk)
      yield await sealing.push(chunk)
    }
    yield await sealing.finish()
  }
  const bytes = await writeThenName(temporary, sealed(), async (file) => {
    await file.sync()
    await publish(directory, temporary, path)
  }).catch(orAway)
  return { bytes, plainBytes, plainSha256: hash.digest() }
}

/** Without its own folder for what is being written the vault is not there, but for instance not mounted. */
function orAway(error: unknown): never {
  throw codeOf(error) === 'ENOENT' ? new Outage('the vault is away', { cause: error }) : error
}

/**
 * Writes a file under a temporary name; `name` gives it its own. Whatever happens, the temporary
 * name is gone afterwards.
 */
async function writeThenName(
  temporary: string,
  batches: AsyncIterable<Buffer[]>,
  name: (file: FileHandle) => Promise<void>,
): Promise<number> {
  try {
    await using file = await open(temporary, 'wx', 0o600)
    const bytes = await writeAll(file, batches)
    await name(file)
    return bytes
  } catch (error) {
    throw fullDiskOr(error)
  } finally {
    await removeFile(temporary)
  }
}

/** Gives a finished file its name, unless the name is taken, and waits until the disk knows. */
async function publish(directory: string, temporary: string, path: string): Promise<void> {
  const folder = dirname(path)
  const isNew = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined
  if (isNew) await syncDirectory(directory)
  try {
    await link(temporary, path) // As rename, but never over another object.
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    throw new Refusal('already-exists', 'An object with this id exists; take another id.')
  }
  await syncDirectory(folder)
}

async function openFile(directory: string, objectId: string): Promise<FileHandle> {
  try {
    return await open(pathOf(directory, objectId), 'r')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    throw new Refusal(
      'not-found',
      'The vault does not hold this object; it was never there or is destroyed.',
    )
  }
}

/** The plaintext of an open file, which is closed at the end. */
async function* opened(file: FileHandle, opening: ObjectRun): AsyncGenerator<Buffer[]> {
  try {
    for await (const chunk of chunksOf(file)) yield await opening.push(chunk)
    yield await opening.finish()
  } finally {
    await file.close()
  }
}

async function openToFile(
  directory: string,
  opener: Opener,
  context: SealContext,
  path: string,
): Promise<void> {
  const sealed = await openFile(directory, context.objectId)
  const temporary = `${path}.${randomUUID()}`
  const plain = opened(sealed, objectOpening(opener, context))
  await writeThenName(temporary, plain, () => rename(temporary, path))
}

async function* flat(batches: AsyncIterable<Buffer[]>): AsyncGenerator<Buffer> {
  for await (const batch of batches) yield* batch
}

function pathOf(directory: string, objectId: string): string {
  if (!uuidPattern.test(objectId)) throw new RangeError('An object id is a lower-case uuid.')
  return join(directory, objectId.slice(0, 2), objectId)
}

function refuseTooLarge(plainBytesMax: number): never {
  throw new Refusal(
    'body-too-large',
    'The content is larger than agreed; cut it into smaller parts.',
    {
      bytesMax: plainBytesMax,
    },
  )
}
