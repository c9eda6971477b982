import type { FileHandle } from 'node:fs/promises'
import { tagBytes } from './aes-gcm.ts'
import {
  type Opener,
  objectHeaderBytes,
  openHeader,
  refuseDamaged,
  type SealContext,
} from './object-header.ts'
import { aes256GcmHkdf1Mb, tinkHeaderBytes, tinkSegments } from './tink-stream.ts'

/** Bytes of the plaintext from `start` up to but without `end`. */
export type ByteRange = { start: number; end: number }

const segmentBytes = aes256GcmHkdf1Mb.segmentBytes
const tinkHeader = tinkHeaderBytes(aes256GcmHkdf1Mb)

/**
 * A range of a sealed object's plaintext; the file is closed at the end. The last segment is opened
 * before anything is given out: that it is marked as the last one shows that nothing is missing.
 *
 * @throws {Refusal} `sealed-object-damaged`.
 * @throws {RangeError} if the range is not inside the plaintext: a defect in the caller.
 */
export async function* openedRange(
  file: FileHandle,
  { opener, context }: { opener: Opener; context: SealContext },
  { start, end }: ByteRange,
): AsyncGenerator<Buffer> {
  try {
    const { size } = await file.stat()
    const streamBytes = size - objectHeaderBytes.beforeTink
    const count = Math.ceil(streamBytes / segmentBytes)
    const plainBytes = streamBytes - tinkHeader - count * tagBytes
    if (count < 1 || plainBytes < 0) refuseDamaged()
    const header = await bytesOf(file, 0, objectHeaderBytes.all)
    const key = await openHeader(header, opener, context)
    const openSegment = tinkSegments(aes256GcmHkdf1Mb, key, refuseDamaged)
    key.dataKey.fill(0)
    const segment = async (index: number): Promise<Buffer> => {
      const from = index === 0 ? tinkHeader : index * segmentBytes
      const until = Math.min(streamBytes, (index + 1) * segmentBytes)
      const at = objectHeaderBytes.beforeTink + from
      return openSegment(await bytesOf(file, at, until - from), index, index === count - 1)
    }
    const last = await segment(count - 1)
    if (!(start >= 0 && start <= end && end <= plainBytes)) {
      throw new RangeError('The range is not inside the object.')
    }
    for (let index = segmentOf(start); index < count && startOf(index) < end; index += 1) {
      const plain = index === count - 1 ? last : await segment(index)
      const from = Math.max(0, start - startOf(index))
      const piece = plain.subarray(from, Math.min(plain.length, end - startOf(index)))
      if (piece.length > 0) yield piece
    }
  } finally {
    await file.close()
  }
}

/** Which segment holds a byte of the plaintext. */
function segmentOf(position: number): number {
  return Math.floor((position + tinkHeader) / (segmentBytes - tagBytes))
}

/** Where in the plaintext a segment starts. */
function startOf(index: number): number {
  return index === 0 ? 0 : index * (segmentBytes - tagBytes) - tinkHeader
}

async function bytesOf(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done)
    if (bytesRead === 0) refuseDamaged()
    done += bytesRead
  }
  return buffer
}
