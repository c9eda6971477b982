/**
 * Checkpoints of the trail (C2SP tlog-checkpoint): how many leaves it had, and their root, as a
 * signed note.
 */
import { base64Of, bytesOfBase64 } from './base64.ts'
import { Refusal } from './errors.ts'
import { hashBytes } from './merkle.ts'
import { openNote } from './signed-note.ts'

/** The head of a log. */
export type Checkpoint = {
  /** Names the log; one line. */
  origin: string
  /** Leaves covered. */
  size: number
  /** RFC 6962 root of those leaves, 32 bytes. */
  root: Uint8Array
}

/**
 * The text of a checkpoint, to be signed as a note: three lines, no extension.
 *
 * @throws {RangeError} if the origin is empty or more than a line, the size no whole number, or the
 * root not 32 bytes.
 */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (!/^[^\n]+$/u.test(origin)) throw new RangeError('the origin of a log is one line')
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('the size of a log is a count')
  if (root.length !== hashBytes) throw new RangeError('the root of a log has 32 bytes')
  return `${origin}\n${size}\n${base64Of(root)}\n`
}

/**
 * The checkpoint in a note that one of these keys signed. Extension lines are passed over.
 *
 * @param verifierKeys - `name+hash+key`, one or more.
 * @throws {Refusal} as `openNote`; `input-malformed` if the signed text is no checkpoint.
 */
export function openCheckpoint(note: string, verifierKeys: readonly string[]): Checkpoint {
  const { text } = openNote(note, verifierKeys)
  const lines = text.slice(0, -1).split('\n')
  const [origin = '', digits = '', base64 = ''] = lines
  const size = /^(0|[1-9][0-9]*)$/.test(digits) ? Number(digits) : Number.NaN
  const root = bytesOfBase64(base64)
  const isWhole = lines.length >= 3 && lines.every((line) => line !== '')
  if (!isWhole || !Number.isSafeInteger(size) || root?.length !== hashBytes) {
    throw new Refusal('input-malformed', 'The signed text is not a checkpoint: origin, size, root.')
  }
  return { origin, size, root }
}
