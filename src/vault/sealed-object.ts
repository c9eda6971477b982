/**
 * A sealed object: content that only one side can open, bound to what it is.
 *
 *   "GYEOL\x1a" ‖ version 1 (1 byte) ‖ key id (16 bytes) ‖ enc (65 bytes)
 *   ‖ sealed data key (48 bytes) ‖ Tink stream
 *
 * A fresh 32-byte data key is sealed by HPKE (RFC 9180, base mode, DHKEM(P-256, HKDF-SHA256),
 * HKDF-SHA256, AES-256-GCM) to the side's public key. Project, kind, object id and key id are
 * HPKE's `info` and the stream's associated data, so an object under another's name does not open.
 * Whoever seals cannot open again.
 */
import { randomBytes } from 'node:crypto'
import { Transform } from 'node:stream'
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core'
import { Refusal } from '../core/errors.ts'
import {
  aes256GcmHkdf1Mb,
  type TinkRun,
  tinkHeaderBytes,
  tinkOpening,
  tinkSealing,
} from './tink-stream.ts'

/** What an object is: its project (uuid), its kind, its own id (uuid). */
export type SealContext = { project: string; kind: string; objectId: string }

/**
 * Opens an HPKE-sealed data key with the private key `keyId`; refuses what it cannot open with
 * `sealed-object-damaged`. What it returns is wiped after use.
 */
export type Opener = (
  keyId: string,
  enc: Uint8Array,
  ciphertext: Uint8Array,
  info: Uint8Array,
) => Promise<Uint8Array>

const magic = Buffer.from('GYEOL\x1a\x01', 'latin1')
const keyIdBytes = 16
const encBytes = 65
const sealedKeyBytes = 48
const tinkHeader = tinkHeaderBytes(aes256GcmHkdf1Mb)
const encAt = magic.length + keyIdBytes
const sealedKeyAt = encAt + encBytes
const tinkAt = sealedKeyAt + sealedKeyBytes
const headerBytes = tinkAt + tinkHeader
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * A running seal or opening: chunks of any size in, finished pieces out, in order and theirs to
 * keep.
 */
export type ObjectRun = {
  push(chunk: Uint8Array): Promise<Buffer[]>
  finish(): Promise<Buffer[]>
}

/**
 * Plaintext in, sealed object out. One segment of 1 MiB is held, no more; a chunk may be
 * overwritten once `push` resolves.
 *
 * Salt, nonce prefix and data key are drawn here and are no argument: a caller could give them
 * twice.
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
    const dataKey = randomBytes(32)
    const associated = associatedOf(keyId, context)
    const start = Buffer.concat([Buffer.from([tinkHeader]), randomBytes(tinkHeader - 1)])
    const { enc, sealedKey } = await sealKey(recipientPublicKey, dataKey, associated)
    pieces.push(Buffer.concat([magic, bytesOfUuid(keyId), enc, sealedKey, start]))
    const begun = tinkSealing(aes256GcmHkdf1Mb, { dataKey, associated }, start, (piece) => {
      pieces.push(piece)
    })
    dataKey.fill(0)
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
  async function begin(header: Buffer): Promise<TinkRun> {
    const keyId = keyIdOf(header)
    const associated = associatedOf(keyId, context)
    const [enc, sealedKey, start] = [
      header.subarray(encAt, sealedKeyAt),
      header.subarray(sealedKeyAt, tinkAt),
      header.subarray(tinkAt),
    ]
    const dataKey = await opener(keyId, enc, sealedKey, associated)
    const key = { dataKey, associated, header: start }
    const begun = tinkOpening(aes256GcmHkdf1Mb, key, (piece) => pieces.push(piece), refuseDamaged)
    dataKey.fill(0)
    return begun
  }
  return {
    async push(chunk) {
      if (run !== undefined) {
        run.push(chunk)
        return pieces.splice(0)
      }
      head = Buffer.concat([head, chunk])
      if (head.length < headerBytes) return []
      run = await begin(head.subarray(0, headerBytes))
      run.push(head.subarray(headerBytes))
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

function keyIdOf(header: Uint8Array): string {
  if (magic.compare(header, 0, magic.length) !== 0) refuseDamaged()
  const hex = Buffer.from(header.subarray(magic.length, encAt)).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function sealKey(
  recipientPublicKey: Uint8Array,
  dataKey: Uint8Array,
  info: Uint8Array,
): Promise<{ enc: Uint8Array; sealedKey: Uint8Array }> {
  const kem = new DhkemP256HkdfSha256()
  const suite = new CipherSuite({ kem, kdf: new HkdfSha256(), aead: new Aes256Gcm() })
  const recipient = await suite.kem.deserializePublicKey(recipientPublicKey)
  const { enc, ct } = await suite.seal({ recipientPublicKey: recipient, info }, dataKey)
  return { enc: new Uint8Array(enc), sealedKey: new Uint8Array(ct) }
}

function associatedOf(keyId: string, { project, kind, objectId }: SealContext): Buffer {
  return Buffer.from(JSON.stringify(['gyeol sealed object 1', keyId, project, kind, objectId]))
}

function bytesOfUuid(uuid: string): Buffer {
  if (!uuidPattern.test(uuid)) throw new RangeError('A key id is a lower-case uuid.')
  return Buffer.from(uuid.replaceAll('-', ''), 'hex')
}

function refuseDamaged(): never {
  throw new Refusal(
    'sealed-object-damaged',
    'The sealed object is cut, changed, or not the object it is named; restore it from a copy.',
  )
}
