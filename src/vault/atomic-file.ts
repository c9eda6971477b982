/** Files that are there whole or not at all, and still there after the power failed. */
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { Refusal } from '../core/errors.ts'

const chunkBytes = 1 << 20

/** Makes the names in a directory survive a crash; a file's own fsync does not. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Removes a file; says whether it was there. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * The content of a file in chunks, read ahead by one. A chunk is overwritten as soon as the next
 * one is asked for: two buffers serve the whole file, since fresh memory for every chunk costs more
 * than the reading.
 */
export async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  let [current, ahead] = [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)]
  let position = 0
  let reading = file.read(current, 0, chunkBytes, position)
  for (;;) {
    const { bytesRead } = await reading
    if (bytesRead === 0) return
    position += bytesRead
    reading = file.read(ahead, 0, chunkBytes, position)
    reading.catch(() => undefined) // Thrown above, unless the reader has had enough.
    yield current.subarray(0, bytesRead)
    ;[current, ahead] = [ahead, current]
  }
}

/**
 * Writes pieces at the end of a file, one batch behind, so that making the next batch and writing
 * this one overlap. A piece is empty once it is written.
 */
export async function writeAll(
  file: FileHandle,
  batches: AsyncIterable<Buffer[]>,
): Promise<number> {
  let bytes = 0
  let writing: Promise<void> = Promise.resolve()
  try {
    for await (const batch of batches) {
      await writing
      writing = writeBatch(file, batch)
      writing.catch(() => undefined) // Thrown by the await above or below.
      for (const piece of batch) bytes += piece.length
    }
  } finally {
    await writing // The file must not be closed under a write.
  }
  return bytes
}

async function writeBatch(file: FileHandle, batch: Buffer[]): Promise<void> {
  for (const piece of batch) {
    // One call may write less than it was given.
    for (let done = 0; done < piece.length; ) {
      done += (await file.write(piece, done)).bytesWritten
    }
    giveBack(piece)
  }
}

/**
 * Frees the memory of a piece that owns it whole. Left to the collector, every 30 MiB or so make it go
 * through all that the process holds: a fifteenth of the work of a release.
 */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/**
 * The refusal `disk-full` for errors that mean just that, anything else as it is. EDQUOT is a full
 * quota, EFBIG a limit on the size of one file.
 */
export function fullDiskOr(error: unknown): unknown {
  if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error) ?? '')) return error
  const sentence = 'The disk is full; free space and try again. Nothing was kept.'
  return new Refusal('disk-full', sentence, {}, { cause: error })
}

/** The system's name for what went wrong, such as ENOENT. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
