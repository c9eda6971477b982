/**
 * The file by which an agency answers a ticket: CSV, `case,answer`, a line each. It is taken whole or not at all, and read
 * strictly: no quotes, no blanks, nothing guessed.
 */
import { Refusal } from './errors.ts'
import { linesOf } from './text-lines.ts'

/** Whether two records of the agency are one person. */
export const ticketAnswers = ['same', 'not-same', 'unknown'] as const
export type TicketAnswer = (typeof ticketAnswers)[number]

/** What an agency says of one case. */
export type AnsweredCase = { caseId: string; answer: TicketAnswer }

/** Cases of one ticket. */
export const ticketCasesMax = 1_000

const header = 'case,answer'
const linesShownMax = 10

/**
 * Reads the answers.
 *
 * @param asked - the cases of the ticket that the agency was asked about. A file may answer some of them.
 * @throws {Refusal} `input-malformed`, with the numbers of the first lines of each fault and no word of theirs.
 */
export function answersOf(text: string, asked: ReadonlySet<string>): AnsweredCase[] {
  const lines = linesOf(text)
  if (lines[0] !== header) {
    throw new Refusal('input-malformed', 'The first line of the answers is "case,answer".')
  }
  if (lines.length < 2 || lines.length > ticketCasesMax + 1) {
    throw new Refusal(
      'input-malformed',
      'A file of answers has at least one answer and no more than asked.',
    )
  }
  const answers: AnsweredCase[] = []
  const faults = new Map<Fault, number[]>()
  const seen = new Set<string>()
  for (const [at, line] of lines.slice(1).entries()) {
    const read = answerOf(line, asked)
    const fault = typeof read === 'string' ? read : seen.has(read.caseId) ? 'case-repeated' : null
    if (fault !== null) faults.set(fault, [...(faults.get(fault) ?? []), at + 2])
    if (typeof read === 'string') continue
    seen.add(read.caseId)
    answers.push(read)
  }
  if (faults.size === 0) return answers
  throw new Refusal(
    'input-malformed',
    'Some lines are no answers. None was taken. The details say which lines, for each fault.',
    Object.fromEntries(
      [...faults].map(([fault, at]) => [fault, at.slice(0, linesShownMax).join(' ')]),
    ),
  )
}

type Fault = 'columns-differ' | 'case-unknown' | 'answer-unknown' | 'case-repeated'

function answerOf(line: string, asked: ReadonlySet<string>): AnsweredCase | Fault {
  const [caseId = '', said, ...more] = line.split(',')
  if (said === undefined || more.length > 0) return 'columns-differ'
  if (!asked.has(caseId)) return 'case-unknown'
  const answer = ticketAnswers.find((known) => known === said)
  return answer === undefined ? 'answer-unknown' : { caseId, answer }
}
