/** Whether enough of the witnesses whom a reader trusts have cosigned a checkpoint. */
import { openCheckpoint } from './checkpoint.ts'
import { type Cosigner, cosignersOf, witnessCount } from './cosignature.ts'
import { Refusal } from './errors.ts'

/** What the reader knows from elsewhere: verifier keys, and how many of the witnesses must have cosigned. */
export type TrustedWitnesses = {
  /** Of the log. */
  verifierKeys: readonly string[]
  witnessKeys: readonly string[]
  cosignaturesMin?: number | undefined
}

/** What is under a checkpoint. */
export type Cosigned = {
  /** Of the witnesses that one trusts. */
  cosigners: Cosigner[]
  /** Signatures that are none of theirs, nor the log's. */
  others: number
  /** What is wrong, as sentences. */
  problems: string[]
}

/**
 * Who of these witnesses cosigned the checkpoint in a note. One changed cosignature, and none is counted.
 *
 * @throws {Refusal} as `openCheckpoint`; `input-malformed` for a witness key that is none.
 */
export function checkCosignatures(
  note: string,
  { verifierKeys, witnessKeys, cosignaturesMin = 0 }: TrustedWitnesses,
): Cosigned {
  const all = cosignaturesUnder(note, verifierKeys)
  let cosigners: Cosigner[] = []
  const problems: string[] = []
  try {
    cosigners = cosignersOf(note, witnessKeys)
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'signature-wrong') throw error
    problems.push('A cosignature under its checkpoint is not of the witness that it names.')
  }
  const count = witnessCount(cosigners)
  if (count < cosignaturesMin) {
    problems.push(`${count} of the witnesses have cosigned, and ${cosignaturesMin} must have.`)
  }
  return { cosigners, others: all - cosigners.length, problems }
}

/** How many signatures a checkpoint has beside the one of its log. @throws {Refusal} as `openCheckpoint`. */
export function cosignaturesUnder(note: string, verifierKeys: readonly string[]): number {
  openCheckpoint(note, verifierKeys)
  return note.slice(note.lastIndexOf('\n\n') + 2).split('\n').length - 2
}
