import { Refusal } from '../core/errors.ts'
import { accountOf, authorize, type Caller } from '../core/grants.ts'
import { linkRulesSchema } from '../core/passes.ts'
import { appendLeaf } from '../store/audit.ts'
import { insertJobs } from '../store/jobs.ts'
import { hasLinkageUnderWay, newestLinkage } from '../store/linkages.ts'
import { inTransaction, type Tx } from '../store/pool.ts'
import { agenciesOfProject, type Project, type ProjectAgency } from '../store/projects.ts'
import { countCases } from '../store/ticket-cases.ts'
import { insertTicket } from '../store/tickets.ts'
import { type Deps, leafBy } from './deps.ts'
import { ringFor } from './ring.ts'
import { requireProject } from './show-project.ts'

/**
 * Asks an agency about cases of the newest linkage: whether two records of its own are one person. The key side finds which
 * two; of a case of which the agency does not hold two, it is not asked.
 *
 * Of the spine everything may be asked, for it knows who is in it. Another agency learns by a question that a record of its
 * own is in the spine or may be; it is asked only where the two people who approved the project decided that it may.
 *
 * @param wanted.cases - without repetition.
 * @returns the ticket and the job that writes its list.
 * @throws {Refusal} `grant-missing`, also where the project does not let the agency be asked; `not-found` for an agency
 *   outside the project and for a case that the newest linkage does not list; `state-conflict` before the first linkage and
 *   while one is under way.
 */
export async function requestTicket(
  deps: Deps,
  caller: Caller,
  wanted: { project: string; agency: string; cases: readonly string[] },
): Promise<{ ticket: string; job: string }> {
  authorize(caller, 'request-ticket')
  const ticket = deps.randomUuid()
  const job = deps.randomUuid()
  const createdBy = accountOf(caller).id
  await inTransaction(deps.pool, 'request-ticket', async (tx) => {
    const project = await requireProject(tx, wanted.project)
    const { agencyId } = await requireAskable(tx, project, wanted.agency)
    const linkageId = await requireListed(tx, project.id, wanted.cases)
    const of = { projectId: project.id, jobId: job }
    await insertJobs(tx, [{ ...of, side: 'key', kind: 'write-questions', subject: { ticket } }])
    await insertTicket(tx, {
      ...of,
      id: ticket,
      linkageId,
      agencyId,
      createdBy,
      caseIds: wanted.cases,
    })
    await appendLeaf(tx, {
      ...leafBy(caller, 'request-ticket', ticket),
      project: project.id,
      counts: { cases: wanted.cases.length },
      note: wanted.agency,
    })
  })
  await ringFor(deps, [{ jobId: job, side: 'key' }])
  return { ticket, job }
}

async function requireAskable(tx: Tx, project: Project, agency: string): Promise<ProjectAgency> {
  const members = await agenciesOfProject(tx, project.id)
  const member = members.find((other) => other.agency === agency)
  if (!member) throw new Refusal('not-found', 'There is no such agency in the project.')
  if (member.isSpine || linkRulesSchema.parse(project.rules).tickets) return member
  throw new Refusal(
    'grant-missing',
    'The project lets only the spine be asked: a question tells another agency that a person of its own may be in the spine.',
  )
}

/** The newest linkage, if it lists all these cases. */
async function requireListed(
  tx: Tx,
  projectId: string,
  caseIds: readonly string[],
): Promise<string> {
  const linkage = await newestLinkage(tx, projectId, { withTrials: false })
  if (!linkage || (await hasLinkageUnderWay(tx, projectId))) {
    throw new Refusal('state-conflict', 'A linkage is missing or under way. Wait for its end.')
  }
  const listed = await countCases(tx, { linkageId: linkage.id, caseIds })
  if (listed < caseIds.length) {
    const sentence = 'The newest linkage of the project does not list all these cases.'
    throw new Refusal('not-found', sentence, { missing: caseIds.length - listed })
  }
  return linkage.id
}
