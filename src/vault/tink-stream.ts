/**
 * Tink's streaming AEAD "AES-GCM-HKDF", byte for byte, so that Tink itself can open what we sealed
 * and the reverse. Source: developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming.
 *
 *   header    = header length (1 byte) ‖ salt ‖ nonce prefix (7 bytes)
 *   key       = HKDF(data key, salt, info = associated data)
 *   nonce i   = nonce prefix ‖ i (4 bytes, big-endian) ‖ 1 if last else 0
 *   segment i = AES-GCM(key, nonce i, no associated data)
 *
 * Segments have a fixed ciphertext size, the first shorter by the header, the last shorter or not.
 * The number in the nonce makes reordering fail, the last byte truncation.
 */
import { createSecretKey } from 'node:crypto'
import { type HkdfHash, hkdf } from '../core/hkdf.ts'
import { type Gcm, gcmOpen, gcmSeal, tagBytes } from './aes-gcm.ts'
import { Segments } from './segments.ts'

export type TinkParameters = { hash: HkdfHash; derivedKeyBytes: 16 | 32; segmentBytes: number }

/**
 * What all sealed objects use; the parameters can be others only because Tink's own vectors are.
 */
export const aes256GcmHkdf1Mb: TinkParameters = {
  hash: 'sha256',
  derivedKeyBytes: 32,
  segmentBytes: 1 << 20,
}

/** The data key, what it is bound to, and the header: fresh chance for every stream. */
export type TinkKey = { dataKey: Uint8Array; associated: Uint8Array; header: Uint8Array }

const noncePrefixBytes = 7
const segmentsMax = 2 ** 32

/** Bytes of the header, its own length byte included: 24 or 40. */
export function tinkHeaderBytes(parameters: TinkParameters): number {
  return 1 + parameters.derivedKeyBytes + noncePrefixBytes
}

/** A running seal or opening: chunks in, finished pieces to the function given at the start. */
export type TinkRun = { push(chunk: Uint8Array): void; finish(): void }

/**
 * Seals a stream after its header, which the caller has written.
 *
 * @param emit - gets pieces of the sealed stream in order; they are its own to keep.
 */
export function tinkSealing(
  parameters: TinkParameters,
  key: TinkKey,
  emit: (piece: Buffer) => void,
): TinkRun {
  const under = gcmOfSegments(parameters, key)
  const restBytes = parameters.segmentBytes - tagBytes
  return new Segments(restBytes - key.header.length, restBytes, (segment, index, isLast) => {
    const [ciphertext, tag] = gcmSeal(under(index, isLast), segment)
    if (ciphertext.length > 0) emit(ciphertext)
    emit(tag)
  })
}

/**
 * Opens a stream after its header, which the caller has read. Every piece given out has been
 * authenticated; only `finish` tells that the stream was whole.
 *
 * @param refuse - throws; called when a segment was not sealed like this.
 */
export function tinkOpening(
  parameters: TinkParameters,
  key: TinkKey,
  emit: (piece: Buffer) => void,
  refuse: () => never,
): TinkRun {
  const open = tinkSegments(parameters, key, refuse)
  const restBytes = parameters.segmentBytes
  return new Segments(restBytes - key.header.length, restBytes, (segment, index, isLast) => {
    const plaintext = open(segment, index, isLast)
    if (plaintext.length > 0) emit(plaintext)
  })
}

/** Opens single segments, in any order: for reading from the middle. `refuse` as in `tinkOpening`. */
export function tinkSegments(
  parameters: TinkParameters,
  key: TinkKey,
  refuse: () => never,
): (segment: Uint8Array, index: number, isLast: boolean) => Buffer {
  if (key.header[0] !== tinkHeaderBytes(parameters)) refuse()
  const under = gcmOfSegments(parameters, key)
  return (segment, index, isLast) => {
    // Only the empty message has an empty segment; a longer one that ends in one is not Tink's.
    if (index > 0 && segment.length <= tagBytes) refuse()
    return gcmOpen(under(index, isLast), segment) ?? refuse()
  }
}

function gcmOfSegments(
  parameters: TinkParameters,
  { dataKey, associated, header }: TinkKey,
): (index: number, isLast: boolean) => Gcm {
  if (header.length !== tinkHeaderBytes(parameters) || header[0] !== header.length) {
    throw new RangeError('The header does not fit the parameters of the stream.')
  }
  const salt = header.subarray(1, 1 + parameters.derivedKeyBytes)
  const from = { key: dataKey, salt, info: associated }
  const derived = hkdf(parameters.hash, from, parameters.derivedKeyBytes)
  const key = createSecretKey(derived)
  derived.fill(0)
  const nonce = Buffer.alloc(12)
  nonce.set(header.subarray(header.length - noncePrefixBytes))
  return (index, isLast) => {
    if (index >= segmentsMax) throw new RangeError('The stream has too many segments.')
    nonce.writeUInt32BE(index, noncePrefixBytes)
    nonce[11] = isLast ? 1 : 0
    return { key, nonce }
  }
}
