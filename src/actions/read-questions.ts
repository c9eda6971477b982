import type { Readable } from 'node:stream'
import { Refusal } from '../core/errors.ts'
import { agencyOf, authorize, type Caller } from '../core/grants.ts'
import { appendLeaf } from '../store/audit.ts'
import { inTransaction, type Queryable } from '../store/pool.ts'
import { findTicket, type Ticket } from '../store/tickets.ts'
import { type Deps, leafBy } from './deps.ts'

/** The list of a ticket: CSV, `case,serial_a,serial_b`. */
export type ReadQuestions = { bytes: number; sha256: Buffer; body: Readable }

/**
 * The ticket that the calling agency was asked. To another agency, and before its list is written, it is not there.
 *
 * @throws {Refusal} `not-found`; `grant-missing` if a person calls.
 */
export async function requireOwnTicket(db: Queryable, caller: Caller, id: string): Promise<Ticket> {
  const { id: agencyId } = agencyOf(caller)
  const ticket = await findTicket(db, id)
  if (ticket?.agencyId === agencyId && ticket.bytes !== null) return ticket
  throw new Refusal('not-found', 'There is no such ticket.')
}

/**
 * Gives an agency the list of a ticket: pairs of its own serials, and nothing else.
 *
 * @throws {Refusal} `grant-missing`, `not-found`; `outside-period` when the list is destroyed: everything is answered, it
 *   is too old, or a newer linkage is there.
 */
export async function readQuestions(
  deps: Deps,
  caller: Caller,
  ticketId: string,
): Promise<ReadQuestions> {
  authorize(caller, 'read-questions')
  const list = await inTransaction(deps.pool, 'read-questions', async (tx) => {
    const { projectId, objectId, bytes, sha256, asked } = await requireOwnTicket(
      tx,
      caller,
      ticketId,
    )
    if (!objectId || bytes === null || !sha256) {
      const sentence = 'The list is not kept any more: answered, too old, or of an older linkage.'
      throw new Refusal('outside-period', sentence)
    }
    await appendLeaf(tx, {
      ...leafBy(caller, 'read-questions', ticketId),
      project: projectId,
      counts: { asked, bytes },
      digests: { questions: Buffer.from(sha256).toString('hex') },
    })
    return { projectId, objectId, bytes, sha256: Buffer.from(sha256) }
  })
  const body = await deps.vault.openRead(
    (keyId, enc, ciphertext, info) => deps.keyring.openSealed(keyId, enc, ciphertext, info),
    { project: list.projectId, kind: 'questions', objectId: list.objectId },
  )
  return { bytes: list.bytes, sha256: list.sha256, body }
}
