import { createHash } from 'node:crypto'
import { Refusal } from '../core/errors.ts'
import { authorize, type Caller } from '../core/grants.ts'
import { answersOf, type TicketAnswer } from '../core/ticket-answers.ts'
import { appendLeaf } from '../store/audit.ts'
import { endObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { insertAnswers, lockAskedCases } from '../store/ticket-cases.ts'
import { moveTicket } from '../store/tickets.ts'
import { type Deps, leafBy } from './deps.ts'
import { requireOwnTicket } from './read-questions.ts'

/** How many cases of a ticket are answered after this, and how many were asked. */
export type TicketProgress = { answered: number; asked: number }

/**
 * Takes what an agency says of the cases of its ticket. A file may answer some of them; what a later one says of a case
 * counts instead, until a newer linkage closes the ticket. When all are answered the list is destroyed.
 *
 * An answer decides nothing. It is shown beside the case, and two people decide as they would without it: an agency says
 * what it knows of its own two records, not who is whose person here.
 *
 * @param sent.csv - as `core/ticket-answers.ts` reads it, all or nothing.
 * @throws {Refusal} `grant-missing`, `not-found`, `input-malformed`, `state-conflict` when the ticket is closed;
 *   `digest-differs`.
 */
export async function answerTicket(
  deps: Deps,
  caller: Caller,
  sent: { ticketId: string; csv: Buffer; sha256?: Buffer },
): Promise<TicketProgress> {
  authorize(caller, 'answer-ticket')
  const { ticketId, csv } = sent
  const sha256 = createHash('sha256').update(csv).digest()
  if (sent.sha256 && !sent.sha256.equals(sha256)) {
    throw new Refusal('digest-differs', 'What arrived is not what the digest says. Send it again.')
  }
  const { gone, progress } = await inTransaction(deps.pool, 'answer-ticket', async (tx) => {
    const asked = await lockAskedCases(tx, ticketId)
    const ticket = await requireOwnTicket(tx, caller, ticketId)
    if (ticket.state === 'closed') {
      throw new Refusal('state-conflict', 'The ticket is closed: a newer linkage is there.')
    }
    const answers = answersOf(csv.toString(), asked)
    await insertAnswers(tx, ticketId, answers)
    const { answered } = await requireOwnTicket(tx, caller, ticketId)
    const isWhole = answered === asked.size
    const gone = isWhole && ticket.objectId ? [ticket.objectId] : []
    await endObjects(tx, gone)
    if (isWhole) await moveTicket(tx, ticketId, { from: 'open', to: 'answered' })
    const count = (word: TicketAnswer): number =>
      answers.filter(({ answer }) => answer === word).length
    await appendLeaf(tx, {
      ...leafBy(caller, 'answer-ticket', ticketId),
      project: ticket.projectId,
      counts: { same: count('same'), notSame: count('not-same'), unknown: count('unknown') },
      digests: { answers: sha256.toString('hex') },
    })
    return { gone, progress: { answered, asked: asked.size } }
  })
  await Promise.all(gone.map((object) => deps.vault.destroy(object)))
  return progress
}
