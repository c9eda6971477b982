/**
 * The file by which an agency says whose links it doubts: CSV, one column `serial`. It is taken whole or not at all, and
 * read strictly: no quotes, no blanks, nothing guessed.
 */
import { Refusal } from './errors.ts'
import { linesOf } from './text-lines.ts'

/** Serials of one list. */
export const doubtsMax = 10_000

const header = 'serial'
const serialShape = /^[A-Za-z0-9._-]{1,64}$/
const linesShownMax = 10

/**
 * The serials of a list, each once. None is a list too: nothing is doubted any more.
 *
 * @throws {Refusal} `input-malformed`, with the numbers of the first lines that are no serials and no word of theirs.
 */
export function doubtedSerials(text: string): string[] {
  const lines = linesOf(text)
  if (lines[0] !== header) {
    throw new Refusal('input-malformed', 'The first line of the list is "serial".')
  }
  const serials = lines.slice(1)
  if (serials.length > doubtsMax) {
    throw new Refusal('input-malformed', 'The list has too many serials.', { most: doubtsMax })
  }
  const wrong = serials.flatMap((serial, at) => (serialShape.test(serial) ? [] : [at + 2]))
  if (wrong.length === 0) return [...new Set(serials)]
  throw new Refusal('input-malformed', 'Some lines are no serials. None was taken.', {
    lines: wrong.slice(0, linesShownMax).join(' '),
  })
}
