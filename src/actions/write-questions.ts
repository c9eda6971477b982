import { join } from 'node:path'
import { Refusal } from '../core/errors.ts'
import { openSession } from '../engine/session.ts'
import { writeQuestions as writeInEngine } from '../engine/waves/questions.ts'
import { appendLeaf } from '../store/audit.ts'
import { findDelivery } from '../store/deliveries.ts'
import { endLease } from '../store/leases.ts'
import { linkMapsOf } from '../store/linkages.ts'
import { insertObjects } from '../store/objects.ts'
import { inTransaction } from '../store/pool.ts'
import { agenciesOfProject } from '../store/projects.ts'
import { casesOfTicket, type TicketCase } from '../store/ticket-cases.ts'
import { findTicketToWrite, moveTicket, openTicket, type TicketToWrite } from '../store/tickets.ts'
import { type JobRun, leafByWorker, type WorkerDeps } from './deps.ts'
import { ringFor } from './ring.ts'
import { openFile, sealFile } from './sealed-files.ts'
import { requireLinkage } from './show-linkage.ts'

/**
 * Writes the list of a ticket on the key side, which alone knows the serials of a case, and seals it to the desk, from
 * which the agency fetches it. There is nothing in it but numbers of cases and serials of that agency.
 *
 * @throws {Refusal} `state-conflict` when a newer linkage has closed the ticket; `not-found` when the agency holds two
 *   records of none of its cases.
 */
export async function writeQuestions(deps: WorkerDeps, run: JobRun): Promise<void> {
  const { job, scratchDir } = run
  const ticket = await findTicketToWrite(deps.pool, job.subject['ticket'] ?? '')
  if (!ticket) throw new Error('a job names a ticket that does not exist')
  if (ticket.state !== 'queued') throw closed()
  const path = join(scratchDir, 'questions.csv')
  const cases = await casesOfTicket(deps.pool, ticket.id)
  const asked = await write(deps, run, { ticket, cases, path })
  if (asked.length === 0) {
    throw new Refusal('not-found', 'The agency holds two records of none of these cases.')
  }
  const { projectId } = ticket
  const sealed = await sealFile(deps, path, { projectId, kind: 'questions', side: 'desk' })
  const counts = { asked: asked.length, unasked: cases.length - asked.length }
  const wake = await inTransaction(deps.pool, 'write-questions', async (tx) => {
    const parents = await endLease(tx, job, { state: 'done', result: counts })
    await insertObjects(tx, [sealed.object])
    const list = {
      objectId: sealed.object.id,
      bytes: sealed.plainBytes,
      sha256: sealed.plainSha256,
    }
    if (!(await openTicket(tx, { id: ticket.id, ...list, asked }))) throw closed()
    await appendLeaf(tx, {
      ...leafByWorker(deps, 'write-questions', ticket.id),
      project: projectId,
      counts,
      digests: { questions: sealed.plainSha256.toString('hex') },
    })
    return parents
  })
  await ringFor(deps, wake)
}

/** Records that a list could not be written. */
export async function failQuestions(
  deps: WorkerDeps,
  subject: Record<string, string>,
): Promise<void> {
  await inTransaction(deps.pool, 'fail-questions', (tx) =>
    moveTicket(tx, subject['ticket'] ?? '', { from: 'queued', to: 'failed' }),
  )
}

function closed(): Refusal {
  return new Refusal('state-conflict', 'A newer linkage is there. Ask about its cases.')
}

async function write(
  deps: WorkerDeps,
  run: JobRun,
  { ticket, cases, path }: { ticket: TicketToWrite; cases: TicketCase[]; path: string },
): Promise<string[]> {
  const { projectId, agency } = ticket
  const linkage = await requireLinkage(deps.pool, ticket.linkageId)
  if (!linkage.indexObjectId) throw new Error('a linkage that lists cases left a key index')
  const index = join(run.scratchDir, 'index.parquet')
  await openFile(deps, { id: linkage.indexObjectId, projectId, kind: 'key-index' }, index)
  const members = await agenciesOfProject(deps.pool, projectId)
  const isSpine = members.some((member) => member.isSpine && member.agency === agency)
  const maps = isSpine ? [] : await openMaps(deps, run, ticket)
  if (!isSpine && maps.length === 0) return [] // It has delivered nothing.
  const session = await openSession({
    scratchDir: run.scratchDir,
    memoryMiB: deps.jobMemoryMiB,
    threads: deps.jobThreads,
  })
  try {
    const wanted = cases.map(({ caseId, kind }) => ({ caseId, isConflict: kind === 'conflict' }))
    return await writeInEngine(session, { index, agency, isSpine, maps, cases: wanted }, path)
  } finally {
    session.close()
  }
}

/** Opens the key side's copies of the agency's maps. */
async function openMaps(deps: WorkerDeps, run: JobRun, ticket: TicketToWrite): Promise<string[]> {
  const { projectId, linkageId, agencyId } = ticket
  const opened: string[] = []
  for (const { deliveryId, keyObjectId } of await linkMapsOf(deps.pool, linkageId)) {
    const delivery = await findDelivery(deps.pool, deliveryId)
    if (delivery?.agencyId !== agencyId) continue
    if (!keyObjectId) throw closed()
    const path = join(run.scratchDir, `map-${deliveryId}.parquet`)
    await openFile(deps, { id: keyObjectId, projectId, kind: 'key-map' }, path)
    opened.push(path)
  }
  return opened
}
