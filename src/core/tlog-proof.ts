/**
 * A proof that one entry is in the trail, as a text that goes along with what was recorded (C2SP
 * tlog-proof): the leaf's position, its inclusion proof, and the signed checkpoint. Whoever has the
 * entry and the verifier key needs nothing else, and no network.
 */
import { base64Of, bytesOfBase64 } from './base64.ts'
import { type Checkpoint, openCheckpoint } from './checkpoint.ts'
import { Refusal } from './errors.ts'
import { leafHash } from './merkle.ts'
import { verifyInclusion } from './merkle-verify.ts'

const formatLine = 'c2sp.org/tlog-proof@v1'

/** An entry's place in the trail, and what shows it. */
export type TlogProof = {
  /** The leaf's number, from 0. */
  index: number
  /** RFC 6962 inclusion proof in the tree of the checkpoint, lowest sibling first. */
  proof: readonly Uint8Array[]
  /** The signed checkpoint, a whole note. */
  note: string
  /** Data that goes along and that nothing vouches for; here the entry's bytes, which the proof then proves. */
  extra?: Uint8Array
}

/** The text of a proof. */
export function tlogProofText({ index, proof, note, extra }: TlogProof): string {
  const more = extra === undefined ? [] : [`extra ${base64Of(extra)}`]
  const lines = [formatLine, ...more, `index ${index}`, ...proof.map(base64Of)]
  return `${lines.join('\n')}\n\n${note}`
}

/** The extra data of a proof; undefined if it has none. It is worth what the proof then says of it. */
export function extraOfTlogProof(text: string): Uint8Array | undefined {
  const [, line = ''] = text.split('\n', 2)
  return line.startsWith('extra ') ? bytesOfBase64(line.slice('extra '.length)) : undefined
}

/**
 * Checks that the entry is in the trail whose checkpoint one of these keys signed. A line of extra
 * data is passed over: nothing vouches for it.
 *
 * @param entry - the bytes that were hashed.
 * @param verifierKeys - `name+hash+key`, one or more.
 * @returns the entry's number, the checkpoint that covers it, and the note that it is in, with whatever cosignatures it has.
 * @throws {Refusal} `input-malformed` if it is no such text, or as `openCheckpoint`; `digest-differs`
 * if it does not prove that this entry is there.
 */
export function verifyTlogProof(
  text: string,
  entry: Uint8Array,
  verifierKeys: readonly string[],
): { index: number; checkpoint: Checkpoint; note: string } {
  const end = text.indexOf('\n\n')
  const [format, ...rest] = text.slice(0, Math.max(end, 0)).split('\n')
  if (rest[0]?.startsWith('extra ')) rest.shift()
  const [position = '', ...siblings] = rest
  const digits = /^index (0|[1-9][0-9]{0,15})$/.exec(position)?.[1]
  const proof = siblings.flatMap((sibling) => bytesOfBase64(sibling) ?? [])
  if (format !== formatLine || digits === undefined || proof.length !== siblings.length) {
    throw new Refusal('input-malformed', 'This is not a proof of inclusion (C2SP tlog-proof).')
  }
  const note = text.slice(end + 2)
  const checkpoint = openCheckpoint(note, verifierKeys)
  const index = Number(digits)
  const { size, root } = checkpoint
  if (!verifyInclusion({ index, size, leafHash: leafHash(entry), proof, root })) {
    throw new Refusal('digest-differs', 'The proof does not show that this entry is in the trail.')
  }
  return { index, checkpoint, note }
}
