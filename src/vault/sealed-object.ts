/**
 * A sealed object: content that only one side can open, bound to what it is. A header that holds
 * the sealed data key (object-header.ts), then the content (tink-stream.ts).
 */
import { Transform } from 'node:stream'
import {
  type Opener,
  objectHeaderBytes,
  openHeader,
  refuseDamaged,
  type SealContext,
  sealHeader,
} from './object-header.ts'
import { aes256GcmHkdf1Mb, type TinkRun, tinkOpening, tinkSealing } from './tink-stream.ts'

/** A running seal or opening: chunks of any size in, finished pieces out, in order and theirs to keep. */
export type ObjectRun = {
  push(chunk: Uint8Array): Promise<Buffer[]>
  finish(): Promise<Buffer[]>
}

/**
 * Plaintext in, sealed object out. One segment of 1 MiB is held, no more; a chunk may be
 * overwritten once `push` resolves.
 *
 * @param recipientPublicKey - uncompressed P-256 point, 65 bytes.
 * @param keyId - uuid of that key in the side's keyring.
 */
export function objectSealing(
  recipientPublicKey: Uint8Array,
  keyId: string,
  context: SealContext,
): ObjectRun {
  const pieces: Buffer[] = []
  let run: TinkRun | undefined
  async function begin(): Promise<TinkRun> {
    const { bytes, key } = await sealHeader(recipientPublicKey, keyId, context)
    pieces.push(bytes)
    const begun = tinkSealing(aes256GcmHkdf1Mb, key, (piece) => pieces.push(piece))
    key.dataKey.fill(0)
    return begun
  }
  return {
    async push(chunk) {
      run ??= await begin()
      run.push(chunk)
      return pieces.splice(0)
    },
    async finish() {
      run ??= await begin()
      run.finish()
      return pieces.splice(0)
    },
  }
}

/**
 * Sealed object in, plaintext out. Every piece given out is authentic and in its place; that the
 * object was whole is known only when `finish` resolves, so nobody may act on it before. A chunk
 * may be overwritten once `push` resolves.
 *
 * @throws {Refusal} `sealed-object-damaged`: cut, changed, reordered, or sealed as another object
 * or to another key.
 */
export function objectOpening(opener: Opener, context: SealContext): ObjectRun {
  const pieces: Buffer[] = []
  let head = Buffer.alloc(0)
  let run: TinkRun | undefined
  return {
    async push(chunk) {
      if (run !== undefined) {
        run.push(chunk)
        return pieces.splice(0)
      }
      head = Buffer.concat([head, chunk])
      if (head.length < objectHeaderBytes.all) return []
      const key = await openHeader(head.subarray(0, objectHeaderBytes.all), opener, context)
      run = tinkOpening(aes256GcmHkdf1Mb, key, (piece) => pieces.push(piece), refuseDamaged)
      key.dataKey.fill(0)
      run.push(head.subarray(objectHeaderBytes.all))
      head = Buffer.alloc(0)
      return pieces.splice(0)
    },
    async finish() {
      if (run === undefined) refuseDamaged()
      run.finish()
      return pieces.splice(0)
    },
  }
}

/** `objectSealing` as a stream. */
export function sealStream(
  recipientPublicKey: Uint8Array,
  keyId: string,
  context: SealContext,
): Transform {
  return streamOf(objectSealing(recipientPublicKey, keyId, context))
}

/** `objectOpening` as a stream: the object was whole if the stream ends without an error. */
export function openStream(opener: Opener, context: SealContext): Transform {
  return streamOf(objectOpening(opener, context))
}

function streamOf(run: ObjectRun): Transform {
  const stream = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      run.push(chunk).then((pieces) => give(pieces, done), done)
    },
    flush(done) {
      run.finish().then((pieces) => give(pieces, done), done)
    },
  })
  function give(pieces: Buffer[], done: () => void): void {
    for (const piece of pieces) stream.push(piece)
    done()
  }
  return stream
}
