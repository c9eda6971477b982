/**
 * Cosignatures of checkpoints (C2SP tlog-cosignature, Ed25519): a witness says that at a time this was the largest head of
 * the log it had seen, and that it continues every head that it had cosigned before. Whoever finds enough of them under a
 * checkpoint knows that the log showed these witnesses no other history.
 *
 * The type byte is 0x04, so a cosignature never passes for the signature of the log itself, nor the other way round.
 */
import { base64Of } from './base64.ts'
import { verifyEd25519 } from './ed25519.ts'
import { type SignatureScheme, signatureLine, signersOf } from './signed-note.ts'
import { readVerifierKey, verifierKeyOf } from './verifier-key.ts'

/** A witness that cosigned, and when: seconds since 1970. */
export type Cosigner = { verifierKey: string; timeSeconds: number }

const timeBytes = 8
/** The last second that a date can hold (ECMA-262). */
const timeMax = 8_640_000_000_000

const cosignature: SignatureScheme = {
  type: 0x04,
  fits: (publicKey, text, signature) =>
    signature.length === timeBytes + 64 &&
    timeOf(signature) <= timeMax &&
    verifyEd25519(publicKey, messageOf(text, timeOf(signature)), signature.subarray(timeBytes)),
}

/** The verifier key of a witness. @throws {RangeError} as `verifierKeyOf`. */
export function witnessKeyOf(name: string, publicKey: Uint8Array): string {
  return verifierKeyOf(name, publicKey, cosignature.type)
}

/**
 * The line that a witness adds under a checkpoint.
 *
 * @param note - the whole signed note, whose text ends at the last blank line.
 * @param sign - gives the Ed25519 signature of the witness over the bytes it is given.
 */
export function cosignatureLine(
  note: string,
  { verifierKey, timeSeconds }: Cosigner,
  sign: (bytes: Uint8Array) => Uint8Array,
): string {
  const time = Buffer.alloc(timeBytes)
  time.writeBigUInt64BE(BigInt(timeSeconds))
  const text = note.slice(0, note.lastIndexOf('\n\n') + 1)
  return signatureLine(verifierKey, Buffer.concat([time, sign(messageOf(text, timeSeconds))]))
}

/**
 * Which of these witnesses cosigned the checkpoint in a note. It says nothing of the log's own signature: see
 * `openCheckpoint`.
 *
 * @param witnessKeys - `name+hash+key` of type 0x04.
 * @throws {Refusal} `input-malformed`, `signature-wrong` as `signersOf`.
 */
export function cosignersOf(note: string, witnessKeys: readonly string[]): Cosigner[] {
  return signersOf(note, witnessKeys, cosignature).map(({ verifierKey, signature }) => ({
    verifierKey,
    timeSeconds: timeOf(signature),
  }))
}

/** How many witnesses these are: one that is known by several names is still one. */
export function witnessCount(cosigners: readonly Cosigner[]): number {
  const keys = cosigners.map(({ verifierKey }) => readVerifierKey(verifierKey, cosignature.type))
  return new Set(keys.map(({ publicKey }) => base64Of(publicKey))).size
}

/** The name in the verifier key of a witness. @throws {Refusal} `input-malformed` if it is none. */
export function witnessNameOf(verifierKey: string): string {
  return readVerifierKey(verifierKey, cosignature.type).name
}

function messageOf(text: string, timeSeconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${timeSeconds}\n${text}`, 'utf8')
}

function timeOf(signature: Uint8Array): number {
  return signature.length < timeBytes
    ? Number.NaN
    : Number(Buffer.from(signature).readBigUInt64BE())
}
